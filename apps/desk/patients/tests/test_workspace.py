"""The workspace of a patient: its tabs by role, the summary, the next step, the trends, and what of it is audited."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments import services as appointments
from apps.appointments.tests.factories import book_and_check_in, publish
from apps.audit.models import AuditEvent
from apps.common import clinic_times, clock
from apps.consultations import services as consultations
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import booked, fill, save, signed, start_consultation
from apps.patients.models import Patient
from apps.patients.tests.factories import chart, merge, register_patient, restrict
from apps.terminology.tests import factories as terminology

pytestmark = pytest.mark.django_db
ACTS = re.compile(r'<div class="acts">(.*?)</div>', re.S)


def page(patient: Patient, name: str = "change", *more: str) -> str:
    return reverse(f"admin:patients_patient_{name}", args=[patient.pk, *more])


def shown(user: User, address: str) -> str:
    return browser(user).get(address).content.decode()


def tab_names(text: str) -> list[str]:
    tabs = text.partition('<ul class="tabs">')[2].partition("</ul>")[0]
    return re.findall(r">([A-Z][a-z]+)</a>", tabs)


def main_button(text: str) -> str:
    """The words of the main button in the banner."""
    match = re.search(r'class="btn small primary".*?</svg>(.*?)</a>', text)
    return match.group(1) if match else ""


def vital(patient: Patient, code: str, value: float, days_ago: int, unit: str = "") -> None:
    at = clock.now().replace(microsecond=0, second=0) - timedelta(days=days_ago)
    chart(patient, "vital_sign", code, code_system="LOINC", code=code, value=value, unit=unit, occurred_at=at)


# Tabs


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("doctor", ["Summary", "Visits", "Record", "Details", "Appointments"]),
        ("nurse", ["Summary", "Visits", "Record", "Details", "Appointments"]),
        ("pharmacist", ["Summary", "Record", "Details"]),
        ("lab_technician", ["Summary", "Record", "Details"]),
        ("receptionist", ["Details", "Appointments"]),
        ("billing", ["Details", "Appointments", "Visits", "Record"]),
        ("admin", ["Details", "Appointments", "Summary", "Visits", "Record"]),
    ],
)
def test_each_role_has_its_tabs_and_lands_on_the_first(staff: dict[str, User], role: str, names: list[str]) -> None:
    text = shown(staff[role], page(register_patient()))
    assert tab_names(text) == names
    assert re.search(rf'aria-current="page">{names[0]}</a></li>', text)


def test_every_tab_that_is_shown_opens_and_no_other(staff: dict[str, User]) -> None:
    patient = register_patient()
    for role, names in {"receptionist": {"details", "appointments"}, "pharmacist": {"details", "summary"}}.items():
        client = browser(staff[role])
        for name in ("summary", "visits", "details", "appointments"):
            assert client.get(page(patient, name)).status_code == (200 if name in names else 403), (role, name)
    assert browser(staff["pharmacist"]).get(page(patient, "trend", "weight")).status_code == 403
    assert browser(staff["nurse"]).get(page(patient, "trend", "nothing")).status_code == 404


def test_the_title_begins_with_the_name_and_the_last_digits_of_the_mrn(staff: dict[str, User]) -> None:
    patient = register_patient("Ann", "Lee", mrn="MRN-00123")
    record = f"{reverse('admin:patients_chartentry_changelist')}?patient={patient.pk}"
    pages = {page(patient): "Summary", page(patient, "details"): "Details", page(patient, "visits"): "Visits", record: "Record"}
    for address, name in pages.items():
        assert f"<title>LEE, Ann (…123) · {name} · " in shown(staff["doctor"], address), address


def test_a_name_from_right_to_left_does_not_reverse_the_birth_date(staff: dict[str, User]) -> None:
    text = shown(staff["nurse"], page(register_patient("سارة", "الحسن", date(1980, 5, 15))))
    assert "<bdi>الحسن, سارة</bdi>" in text
    assert '<bdi class="ltr">15 May 1980</bdi>' in text
    assert "<title>\u2068الحسن, سارة\u2069 (…" in text


def test_the_banner_has_the_phone_and_the_birth_date_as_it_is_known(staff: dict[str, User]) -> None:
    patient = register_patient(born=date(1975, 1, 1), date_of_birth_precision="estimated", phone="415 555 0134")
    text = shown(staff["receptionist"], page(patient))
    assert '<bdi class="ltr">about 1975</bdi>' in text
    assert '<bdi class="ltr">415 555 0134</bdi>' in text


# The summary


def test_the_summary_shows_what_is_active_and_each_problem_once(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "diagnosis", "Hypertension", code_system="ICD-10-CM", code="I10")
    chart(patient, "diagnosis", "Hypertension", code_system="ICD-10-CM", code="I10")
    chart(patient, "diagnosis", "Broken arm", status="resolved")
    chart(patient, "medication", "Metformin", detail={"dosage": "500 mg", "frequency": "twice a day"})
    chart(patient, "allergy", "Penicillin", detail={"reaction": "hives", "criticality": "high"})
    response = browser(staff["doctor"]).get(page(patient))
    context, text = response.context, response.content.decode()
    assert [row["display"] for row in context["problems"]["rows"]] == ["Hypertension"]
    assert "Broken arm" not in text.partition('id="events"')[0]
    assert "500 mg, twice a day" in text
    assert "High risk" in text


def test_the_summary_shows_a_role_only_the_kinds_it_may_read(staff: dict[str, User]) -> None:
    patient = register_patient()
    for kind, words in (("diagnosis", "Asthma"), ("medication", "Salbutamol"), ("allergy", "Latex"), ("note", "Family trouble")):
        chart(patient, kind, words)
    vital(patient, "29463-7", 84, 1, "kg")
    signed(staff["doctor"], patient)
    read = {
        "doctor": {"Asthma", "Salbutamol", "Latex", "Family trouble", "Weight", "Last visit"},
        "pharmacist": {"Asthma", "Salbutamol", "Latex"},
        "lab_technician": {"Latex"},
    }
    for role, words in read.items():
        text = shown(staff[role], page(patient, "summary"))
        assert {word for word in read["doctor"] if word in text} == words, role


def test_allergies_that_were_not_asked_never_look_like_none(staff: dict[str, User]) -> None:
    patient = register_patient()
    client = browser(staff["nurse"])
    assert "Not asked yet" in client.get(page(patient)).content.decode()
    client.post(page(patient, "no_known_allergies"))
    text = client.get(page(patient)).content.decode()
    assert "No known allergies." in text
    assert "Not asked yet" not in text


def test_the_summary_shows_the_plan_of_the_last_signed_visit(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    signed(doctor, patient)
    start_consultation(doctor, patient)
    response = browser(staff["nurse"]).get(page(patient))
    last = response.context["last_visit"]
    assert last["plan"]
    assert last["plan"] in response.content.decode()


def test_a_planned_follow_up_is_due_until_an_appointment_is_booked(staff: dict[str, User], time_machine: Any) -> None:
    time_machine.move_to(datetime(2030, 1, 7, 18, tzinfo=UTC), tick=False)
    patient, doctor = register_patient(), staff["doctor"]
    visit = start_consultation(doctor, patient, "quick")
    save(doctor, visit, Step.FOLLOW_UP, {"follow_up": {"in_days": 14, "reason": "Blood pressure check"}})
    consultations.complete(by=doctor, consultation_id=fill(doctor, visit).row.pk)
    due_on = clinic_times.local(visit.row.started_at).date() + timedelta(days=14)

    text = shown(staff["nurse"], page(patient))
    assert "Blood pressure check" in text
    assert clinic_times.day(due_on) in text
    assert f"Since {clinic_times.day(due_on)}" not in text
    time_machine.shift(timedelta(days=15))
    assert f"Since {clinic_times.day(due_on)}" in shown(staff["nurse"], page(patient))

    booked(patient, doctor, "follow_up", minutes_ahead=60)
    assert 'id="due"' not in shown(staff["nurse"], page(patient))


def test_the_summary_costs_the_same_for_a_small_and_a_large_chart(
    staff: dict[str, User], django_assert_max_num_queries: Any
) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    signed(doctor, patient)
    booked(patient, doctor)
    client, address = browser(doctor), page(patient) + "?from=queue"
    counts = []
    for number in (20, 180):
        for kind in ("diagnosis", "allergy", "medication", "note"):
            for place in range(number // 5):
                chart(patient, kind, f"{kind} {number} {place}")
        for place in range(number // 5):
            vital(patient, "29463-7", 80 + place / 10, place + number, "kg")
        with django_assert_max_num_queries(25) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_other_tabs_cost_the_same_for_one_and_for_many_rows(
    staff: dict[str, User], django_assert_max_num_queries: Any
) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    client, counts = browser(doctor), []
    addresses = [page(patient, "visits"), page(patient, "appointments"), page(patient, "trend", "weight")]
    for number in (1, 6):
        for place in range(number):
            signed(doctor, patient)
            vital(patient, "29463-7", 80, place + number, "kg")
            booked(patient, doctor, minutes_ahead=30 * (place + number))
        count = []
        for address in addresses:
            with django_assert_max_num_queries(25) as queries:
                assert client.get(address).status_code == 200
            count.append(len(queries))
        counts.append(count)
    assert counts[0] == counts[1]


# Trends


def test_a_trend_has_the_last_twelve_values_in_metric_units(staff: dict[str, User]) -> None:
    patient = register_patient()
    for days in range(15):
        vital(patient, "29463-7", 180, days, "[lb_av]")
    vital(patient, "8480-6", 150, 1)
    vital(patient, "8462-4", 84, 5)
    rows = {row["title"]: row for row in browser(staff["doctor"]).get(page(patient)).context["trends"]}
    assert rows["Weight"]["last"] == "81.65"
    assert rows["Weight"]["svg"].split('points="')[1].split('"')[0].count(",") == 12
    assert (rows["Blood pressure"]["last"], rows["Blood pressure"]["flag"]) == ("150", "high")
    assert "Pulse" not in rows


def test_a_childs_values_have_no_adult_range(staff: dict[str, User]) -> None:
    child = register_patient("Mia", "Lee", clock.today() - timedelta(days=800))
    vital(child, "8867-4", 120, 1)
    (row,) = browser(staff["doctor"]).get(page(child)).context["trends"]
    assert (row["flag"], row["has_range"]) == ("", False)


def test_the_page_of_a_trend_has_the_plot_its_sentence_and_every_value(staff: dict[str, User]) -> None:
    patient = register_patient()
    for days, (high, low) in enumerate([(150, 92), (138, 84)]):
        vital(patient, "8480-6", high, 10 - days)
        vital(patient, "8462-4", low, 10 - days)
    text = shown(staff["doctor"], page(patient, "trend", "blood-pressure"))
    assert '<svg class="plot"' in text
    assert "Systolic: 2 values" in text
    table = text.partition("<tbody>")[2]
    assert re.findall(r">(\d+)</(?:b|span)>", table) == ["138", "84", "150", "92"]


def test_values_entered_in_error_are_in_no_trend(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    entry = chart(patient, "vital_sign", "Body weight", code_system="LOINC", code="29463-7", value=90, unit="kg")
    browser(doctor).post(reverse("admin:patients_chartentry_retract", args=[entry.pk]), {"reason": "Wrong patient"})
    assert browser(doctor).get(page(patient)).context["trends"] == []


# The next step


def test_the_next_step_leads_from_the_check_in_to_the_signature(staff: dict[str, User]) -> None:
    terminology.restore()
    patient, doctor, nurse = register_patient(), staff["doctor"], staff["nurse"]
    appointment = booked(patient, doctor)

    def steps() -> dict[str, str]:
        return {
            role: main_button(shown(staff[role], page(patient, "appointments"))) for role in ("receptionist", "nurse", "doctor")
        }

    assert steps() == {"receptionist": "Check in", "nurse": "Check in", "doctor": "Start the visit"}
    appointments.check_in(by=staff["receptionist"], appointment_id=appointment.pk)
    assert steps() == {"receptionist": "", "nurse": "Call in", "doctor": "Start the visit"}
    visit = start_consultation(nurse, patient, appointment_id=appointment.pk)
    assert steps() == {"receptionist": "", "nurse": "Take vital signs", "doctor": "Open visit"}
    fill(nurse, visit, 1)
    assert steps()["nurse"] == "Ready for the doctor"
    consultations.ready(by=nurse, consultation_id=visit.row.pk)
    assert steps() == {"receptionist": "", "nurse": "Open visit", "doctor": "Open visit"}


def test_a_doctor_is_offered_to_sign_when_nothing_is_missing(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    visit = start_consultation(doctor, patient, workflow="quick")
    fill(doctor, visit, 2, 7)
    text = shown(doctor, page(patient))
    assert main_button(text) == "Complete and sign"
    assert reverse("admin:consultations_consultation_complete", args=[visit.row.pk]) in text


def test_nothing_is_next_for_a_patient_who_died(staff: dict[str, User]) -> None:
    patient = register_patient(deceased_at=clock.now() - timedelta(days=1))
    text = shown(staff["doctor"], page(patient))
    assert "Start a visit" not in text
    assert ">Book<" not in text


def test_the_queue_leads_to_the_patient_who_waits_behind(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    publish(doctor)
    first, second, third = (register_patient(name) for name in ("Ann", "Bea", "Cora"))
    for patient, ago in ((first, 30), (second, 20), (third, 10)):
        book_and_check_in(patient, doctor, ago)
    text = shown(doctor, page(second) + "?from=queue")
    assert f'href="{page(third)}?from=queue"' in text
    assert f'href="{reverse("admin:queue")}"' in ACTS.findall(text)[0]
    assert f'href="{page(second, "visits")}?from=queue"' in text
    assert "Next patient" not in shown(doctor, page(third) + "?from=queue")
    assert "Next patient" not in shown(doctor, page(second))
    assert f'href="{reverse("admin:index")}"' in ACTS.findall(shown(doctor, page(second) + "?from=home"))[0]


# Visits and appointments


def test_the_visits_show_reason_and_diagnoses_and_the_chosen_one(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    older, newer = signed(doctor, patient).row, signed(doctor, patient).row
    client = browser(staff["nurse"])
    response = client.get(page(patient, "visits"))
    assert [row["id"] for row in response.context["rows"]] == [newer.pk, older.pk]
    assert [row["is_chosen"] for row in response.context["rows"]] == [True, False]
    chosen = client.get(page(patient, "visits") + f"?visit={older.pk}").context
    assert [row["is_chosen"] for row in chosen["rows"]] == [False, True]
    assert str(older.pk) in chosen["chosen"]["url"]
    assert client.get(page(patient, "visits") + "?visit=nonsense&p=x").status_code == 200


def test_billing_sees_the_codes_of_visits_and_no_narrative(staff: dict[str, User]) -> None:
    terminology.restore()
    patient, doctor = register_patient(), staff["doctor"]
    visit = start_consultation(doctor, patient, workflow="quick")
    fill(doctor, visit, 2, 6, 7)
    response = browser(staff["billing"]).get(page(patient, "visits"))
    (row,) = response.context["rows"]
    assert (row["reason"], response.context["chosen"]) == ("", None)
    assert row["diagnoses"]
    assert " " not in row["diagnoses"].split(" · ")[0]


def test_tabs_without_rows_say_so(staff: dict[str, User]) -> None:
    patient = register_patient()
    assert "No visits yet" in shown(staff["nurse"], page(patient, "visits"))
    assert "No appointments yet" in shown(staff["nurse"], page(patient, "appointments"))


# Access and audit


def test_every_view_is_audited_for_its_patient(staff: dict[str, User]) -> None:
    patient, nurse = register_patient(), staff["nurse"]
    visit = signed(staff["doctor"], patient).row
    client = browser(nurse)
    expected = {
        page(patient): {"patient.read", "chart.read"},
        page(patient, "visits"): {"consultation.listed", "consultation.read"},
        page(patient, "appointments"): {"appointment.listed"},
        page(patient, "details"): {"patient.read"},
        page(patient, "trend", "pulse"): {"chart.read"},
    }
    for address, actions in expected.items():
        before = set(AuditEvent.objects.values_list("pk", flat=True))
        client.get(address)
        rows = AuditEvent.objects.exclude(pk__in=before)
        assert {row.action for row in rows} == actions, address
        assert {(row.user_id, row.patient_id) for row in rows} == {(nurse.pk, patient.pk)}, address
    assert AuditEvent.objects.get(action="consultation.read").object_id == visit.pk


def test_a_reader_of_codes_opens_no_visit_in_the_list(staff: dict[str, User]) -> None:
    patient = register_patient()
    signed(staff["doctor"], patient)
    browser(staff["billing"]).get(page(patient, "visits"))
    assert AuditEvent.objects.filter(action="consultation.listed").exists()
    assert not AuditEvent.objects.filter(action="consultation.read").exists()


@pytest.mark.parametrize("name", ["summary", "visits", "details", "appointments"])
def test_a_restricted_chart_is_closed_on_every_tab(staff: dict[str, User], name: str) -> None:
    patient = register_patient("Dora", "Hale")
    restrict(patient, staff["nurse"])
    refused = browser(staff["doctor"]).get(page(patient, name))
    assert refused.status_code == 403
    assert "This record is restricted" in refused.content.decode()
    assert "Hale" not in refused.content.decode()
    assert browser(staff["admin"]).get(page(patient, name)).status_code == 404
    assert browser(staff["nurse"]).get(page(patient, name)).status_code == 200
    denied = AuditEvent.objects.filter(outcome="denied").values_list("role", "patient_id")
    assert set(denied) == {("doctor", patient.pk), ("admin", patient.pk)}


def test_emergency_access_opens_the_summary_and_marks_the_view(staff: dict[str, User]) -> None:
    patient, doctor = register_patient("Dora", "Hale"), browser(staff["doctor"])
    restrict(patient, staff["nurse"])
    why = {"mrn": patient.mrn, "why": "Danger to life", "reason": "Unconscious in the waiting room"}
    opened = doctor.post(reverse("admin:patients_patient_break_glass"), why, follow=True)
    assert tab_names(opened.content.decode())[0] == "Summary"
    marked = AuditEvent.objects.filter(user_id=staff["doctor"].pk, purpose="break_glass").values_list("action", flat=True)
    assert set(marked) == {"patient.glass_broken", "patient.read", "chart.read"}


def test_the_tabs_of_a_merged_record_lead_to_the_kept_one(staff: dict[str, User]) -> None:
    retired, kept = register_patient("Bea", "Roe"), register_patient("Cora", "Lee")
    merge(retired, kept)
    for name in ("summary", "visits", "appointments", "details"):
        assert browser(staff["nurse"]).get(page(retired, name)).headers["Location"] == page(kept)
