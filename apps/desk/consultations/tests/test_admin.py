"""Visits in the admin: started, worked through, signed; who may, what is refused, two people at one step, how many queries."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.consultations import services
from apps.consultations.models import Addendum, Consultation, StepSave
from apps.consultations.tests.factories import booked, fill, save, signed, start_consultation
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
LIST = "/admin/consultations/consultation/"


def page(name: str, visit: Any, *more: Any) -> str:
    return reverse(f"admin:consultations_consultation_{name}", args=[visit.row.pk, *more])


def sendable(form: Any) -> dict[str, Any]:
    """What a browser would send of a form as it was shown."""
    values = {name: form[name].value() for name in form.fields}
    return {
        name: "on" if value is True else value for name, value in values.items() if value not in (None, "") and value is not False
    }


def fill_in(client: Client, address: str, **answers: Any) -> Any:
    """Load the step, change what is named, send it."""
    return client.post(address, sendable(client.get(address).context["form"]) | answers)


def test_a_step_saved_from_the_page_is_what_the_api_reads(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    client = browser(staff["doctor"])
    sent = {"bp": "120/80", "weight_kg": "70.5", "pulse": "72"}
    assert fill_in(client, page("step", visit, 1), **sent).status_code == 302
    words = {"symptoms_0_description": "Headache", "symptoms_0_severity": "mild", "chief_complaint": "Head hurts"}
    assert fill_in(client, page("step", visit, 2), **words).status_code == 302
    steps = api_client(staff["doctor"]).get(f"/consultations/{visit.row.pk}").json()["data"]["consultation"]["step_data"]
    assert steps["vitals"]["data"] == {"bp": "120/80", "weight_kg": 70.5, "pulse": 72}
    symptoms = {"chief_complaint": "Head hurts", "symptoms": [{"description": "Headache", "severity": "mild"}]}
    assert steps["symptoms"]["data"] == symptoms
    assert steps["symptoms"]["completed"] is True


def test_a_step_sent_again_as_it_was_shown_changes_nothing(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    visit = fill(staff["doctor"], visit, *range(10))
    save(staff["doctor"], visit, 9, {"follow_up": {"in_days": 14, "reason": "Look again"}})
    client, before = browser(staff["doctor"]), StepSave.objects.count()
    for number in range(10):
        assert fill_in(client, page("step", visit, number)).status_code == 302, number
    assert StepSave.objects.count() == before


def test_a_nurse_is_offered_to_cancel_only_a_visit_that_the_doctor_has_not_worked_on(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    save(staff["nurse"], visit, 1)
    assert page("cancel", visit) in client.get(page("change", visit)).content.decode()
    save(staff["doctor"], visit, 2)
    assert page("cancel", visit) not in client.get(page("change", visit)).content.decode()
    assert client.get(page("cancel", visit)).status_code == 403
    refused = client.post(page("cancel", visit), {"reason": "Left"})  # a form that was opened before
    assert "A doctor has already worked on this consultation." in refused.content.decode()
    assert Consultation.objects.get().status == "in_progress"
    assert page("cancel", visit) in browser(staff["doctor"]).get(page("change", visit)).content.decode()


def test_pages_call_a_consultation_a_visit(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["doctor"])
    visit = start_consultation(staff["doctor"], patient)
    addresses = [LIST, page("change", visit), reverse("admin:patients_patient_change", args=[patient.pk])]
    shown = [re.sub(r"<[^>]*>", " ", client.get(address).content.decode()) for address in addresses]
    assert not [text for text in shown if "Consultation" in text]
    assert "Start a visit" in shown[0]
    assert "1 visit" in shown[0]


def test_a_nought_is_a_number_and_no_empty_box(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    fill_in(client, page("step", visit, 1), pain="0")
    fill_in(client, page("step", visit, 8), medications_0_name="Paracetamol", medications_0_refills="0")
    assert StepSave.objects.get(number=1).data == {"pain": 0}
    assert StepSave.objects.get(number=8).data == {"medications": [{"name": "Paracetamol", "refills": 0}]}


def test_a_box_that_is_emptied_clears_the_field(staff: dict[str, User]) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), 1)
    assert fill_in(browser(staff["doctor"]), page("step", visit, 1), pulse="").status_code == 302
    assert StepSave.objects.filter(number=1).first().data == {"bp": "120/80"}
    client = browser(staff["doctor"])
    save(staff["doctor"], visit, 9, {"follow_up": {"in_days": 14, "reason": "Look again"}})
    fill_in(client, page("step", visit, 9), follow_up_reason="")
    assert StepSave.objects.filter(number=9).first().data == {"follow_up": {"in_days": 14}}
    fill_in(client, page("step", visit, 9), follow_up_in_days="")
    assert StepSave.objects.filter(number=9).first().data == {}


def test_a_form_that_no_browser_sends_is_no_fault_of_ours(staff: dict[str, User]) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), 1, {"bp": "200/130"})
    client = browser(staff["doctor"])
    answered = {f"alert-{visit.open_alerts[0]['id']}": "Looked\x00 again"}
    assert fill_in(client, page("step", visit, 1), **answered).status_code == 302
    assert "Answered: Looked again" in client.get(page("step", visit, 1)).content.decode()
    assert client.post(page("step", visit, 7), {"version": "5", "plan": "Rest"}).status_code == 302


def test_what_is_wrong_is_shown_at_its_box_and_nothing_is_saved(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    client = browser(staff["doctor"])
    shown = fill_in(client, page("step", visit, 1), bp="80/120", pulse="x")
    assert set(shown.context["form"].errors) == {"pulse"}
    shown = fill_in(client, page("step", visit, 1), bp="80/120")
    assert "systolic" in shown.context["form"].errors["bp"][0]
    shown = fill_in(client, page("step", visit, 6), diagnoses_0_code="E11")
    assert "header" in shown.context["form"].errors["diagnoses_0_code"][0]
    assert 'value="E11"' in shown.content.decode()
    assert not StepSave.objects.exists()


def test_an_implausible_value_is_confirmed_each_time_anew(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    assert "hardly possible" in fill_in(client, page("step", visit, 1), pulse="240").content.decode()
    assert fill_in(client, page("step", visit, 1), pulse="240", confirmed_implausible="on").status_code == 302
    assert "hardly possible" in fill_in(client, page("step", visit, 1), pulse="245").content.decode()


def test_a_diagnosis_is_found_by_words_and_added_without_javascript(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    address = page("step", visit, 6)
    response = client.post(address, {"version": "0", "_search": "1", "q": "headache"})
    assert "Add R51.9" in response.content.decode()
    assert not StepSave.objects.exists()
    assert client.post(address, {"version": "0", "_add": "R51.9", "q": "headache"}).status_code == 302
    fill_in(client, address, _add="E11.9")
    assert [one["code"] for one in StepSave.objects.filter(number=6).first().data["diagnoses"]] == ["R51.9", "E11.9"]


def test_the_enter_key_looks_for_new_words_and_saves_else(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    address = page("step", visit, 6)
    first = re.search(
        r"<(?:button|input type=.submit.)[^>]*name=\"(\w+)\"", client.get(address).content.decode().split("novalidate")[1]
    )
    assert first is not None
    assert first[1] == "_enter"  # the first button of a form is the one that Enter presses
    response = fill_in(client, address, diagnoses_0_code="R51.9", q="headache", searched="", _enter="1")
    assert "Add R51.9" in response.content.decode()
    assert not StepSave.objects.exists()
    assert fill_in(client, address, diagnoses_0_code="R51.9", q="headache", searched="headache", _enter="1").status_code == 302
    assert [one["code"] for one in StepSave.objects.get(number=6).data["diagnoses"]] == ["R51.9"]


def test_two_people_at_one_step_see_both_versions_and_nothing_is_lost(staff: dict[str, User]) -> None:
    visit = save(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 1, {"bp": "120/80", "pulse": 70})
    client, address = browser(staff["doctor"]), page("step", visit, 1)
    form = sendable(client.get(address).context["form"])
    save(staff["nurse"], visit, 1, {"bp": "130/85", "spo2": 97})
    shown = client.post(address, form | {"bp": "125/80", "pain": "3"})
    text = shown.content.decode()
    assert "Changed by" in text
    assert staff["nurse"].full_name in text
    assert {row["label"]: (row["mine"], row["theirs"]) for row in shown.context["clash"]["rows"]} == {
        "Blood pressure": ("125/80", "130/85"),
        "Oxygen": ("(empty)", "97"),
        "Pain": ("3", "(empty)"),
    }
    assert StepSave.objects.filter(number=1).count() == 2
    assert client.post(address, sendable(shown.context["form"])).status_code == 302
    last = StepSave.objects.filter(number=1).first()
    assert last.data == {"bp": "125/80", "pulse": 70, "spo2": 97, "pain": 3}


def test_a_nurse_saves_the_early_steps_and_reads_the_others(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    assert fill_in(client, page("step", visit, 0), identity_confirmed="on").status_code == 302
    assert (
        "Your role can save only Overview, Vitals, Symptoms and History." in client.get(page("step", visit, 7)).content.decode()
    )
    assert client.post(page("step", visit, 7), {"version": "0", "plan": "Rest"}).status_code == 403
    assert client.get(page("complete", visit)).status_code == 403


def test_another_doctors_visit_is_read_only(staff: dict[str, User], colleague: User) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(colleague)
    assert "another doctor" in client.get(page("step", visit, 1)).content.decode()
    assert client.post(page("step", visit, 1), {"version": "0", "bp": "120/80"}).status_code == 403
    assert client.get(page("hold", visit)).status_code == 403
    assert client.post(page("cancel", visit)).status_code == 403


def test_billing_sees_codes_and_nothing_of_the_narrative(staff: dict[str, User]) -> None:
    visit = signed(staff["doctor"], register_patient(), "adaptive")
    client = browser(staff["billing"])
    text = client.get(page("change", visit)).content.decode()
    assert "R51.9" in text
    assert "Back pain" not in text
    assert "Headache" not in text
    assert client.get(page("step", visit, 2)).status_code == 403
    assert browser(staff["receptionist"]).get(page("change", visit)).status_code == 403
    assert browser(staff["receptionist"]).get(LIST).status_code == 403


def test_a_visit_is_reviewed_and_signed_with_a_reason_where_something_is_missing(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    text, seen = client.get(page("complete", visit)).content.decode(), {"version": visit.row.version}
    assert page("step", visit, 2) in text
    assert "The visit was not signed" in client.post(page("complete", visit), seen).content.decode()
    assert Consultation.objects.get().status == "in_progress"
    sent = seen | {"override_incomplete": "on", "reason": "The patient had to leave"}
    assert client.post(page("complete", visit), sent).status_code == 302
    assert Consultation.objects.get().override_reason == "The patient had to leave"
    assert "read-only" in client.get(page("step", visit, 2)).content.decode()
    late = client.post(page("step", visit, 2), {"version": "0", "chief_complaint": "It began on Monday"}).content.decode()
    assert "Not saved" in late
    assert "It began on Monday" in late  # nothing typed is lost
    assert not StepSave.objects.filter(number=2).exists()
    assert client.post(page("addendum", visit), {"text": "Called back; well."}).status_code == 302
    assert Addendum.objects.get().text == "Called back; well."
    assert "Called back; well." in client.get(page("change", visit)).content.decode()


def test_an_alert_is_answered_on_the_page_it_stands_on(staff: dict[str, User]) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), 1, {"bp": "200/130"})
    client, address = browser(staff["doctor"]), page("step", visit, 1)
    text = client.get(address).content.decode()
    assert "<p>The blood pressure is 200/130" in text
    assert "not been reviewed by a clinician" in text
    fill_in(client, address, **{f"alert-{visit.open_alerts[0]['id']}": "Looked for organ damage: none"})
    assert "Answered: Looked for organ damage: none" in client.get(address).content.decode()


def test_hold_and_resume_ask_about_themselves(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    asked = client.get(page("hold", visit)).content.decode()
    assert "Put on hold" in asked
    assert "The visit is paused, for example until a result arrives." in asked
    assert "The visit is on hold." in client.post(page("hold", visit), {"reason": ""}, follow=True).content.decode()
    asked = client.get(page("resume", visit)).content.decode()
    assert "The visit continues from where it was paused." in asked
    assert "The visit continues." in client.post(page("resume", visit), follow=True).content.decode()


def test_a_visit_waits_goes_on_is_handed_over_and_given_up(staff: dict[str, User], colleague: User) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])

    def here() -> tuple[str, Any]:
        row = Consultation.objects.get()
        return row.status, row.doctor_id

    client.post(page("hold", visit), {"reason": "Waits for a result"})
    assert here() == ("on_hold", staff["doctor"].pk)
    client.post(page("resume", visit))
    client.post(page("hand_over", visit), {"doctor_id": str(colleague.pk), "reason": "Shift ends"})
    assert here() == ("in_progress", colleague.pk)
    browser(colleague).post(page("cancel", visit), {"reason": "Left"})
    assert here() == ("cancelled", colleague.pk)


def test_a_visit_starts_from_the_schedule_or_for_a_walk_in(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["doctor"])
    appointment = booked(patient, staff["doctor"])
    asked = {"workflow_type": "standard"}
    begun = client.post(f"{LIST}add/?appointment={appointment.pk}", asked)
    row = Consultation.objects.get()
    assert begun.headers["Location"] == f"{LIST}{row.pk}/go-on/"
    assert (row.appointment_id, row.workflow_type) == (appointment.pk, "standard")
    again = client.post(f"{LIST}add/?appointment={appointment.pk}", asked)
    assert again.headers["Location"] == f"{LIST}{row.pk}/go-on/"
    nurse = browser(staff["nurse"])
    assert nurse.post(f"{LIST}add/?patient={patient.pk}", asked | {"doctor_id": str(staff["doctor"].pk)}).status_code == 302
    assert Consultation.objects.filter(appointment=None, doctor=staff["doctor"], entered_by=staff["nurse"]).count() == 1
    assert str(patient.pk) in client.get(f"{LIST}add/?q={patient.last_name}").content.decode()
    assert browser(staff["billing"]).get(f"{LIST}add/?patient={patient.pk}").status_code == 403


def test_the_previous_values_are_next_to_the_boxes(staff: dict[str, User]) -> None:
    patient = register_patient()
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], patient, "quick"), 1, 2, 7)
    services.complete(by=staff["doctor"], consultation_id=visit.row.pk)
    text = browser(staff["doctor"]).get(page("step", start_consultation(staff["doctor"], patient), 1)).content.decode()
    assert '<b class="ltr">120/80</b>' in text
    assert '<b class="ltr">70</b>' in text


def test_visits_are_found_by_doctor_day_and_what_is_unsigned(staff: dict[str, User], colleague: User) -> None:
    old, new = (
        start_consultation(staff["doctor"], register_patient()),
        start_consultation(colleague, register_patient("Ann", "Roe")),
    )
    Consultation.objects.filter(pk=old.row.pk).update(started_at=clock.now() - timedelta(hours=25))
    client = browser(staff["doctor"])

    def rows_of(query: str) -> set[Any]:
        return {row.pk for row in client.get(f"{LIST}?{query}").context["cl"].result_list}

    assert rows_of("doctor=mine") == {old.row.pk}
    assert rows_of(f"doctor={colleague.pk}") == {new.row.pk}
    assert rows_of("day=today") == {new.row.pk}
    assert rows_of("status=unsigned") == {old.row.pk}
    assert rows_of("status=completed") == rows_of("doctor=x") == rows_of("day=x") == set()
    assert rows_of("q=roe") == {new.row.pk}


def test_every_look_is_on_record(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    client = browser(staff["doctor"])
    for address in (page("change", visit), page("step", visit, 1), page("complete", visit)):
        before = AuditEvent.objects.count()
        client.get(address)
        row = AuditEvent.objects.order_by("-at", "-id").first()
        assert AuditEvent.objects.count() == before + 1, address
        assert (row.action, row.object_id, row.patient_id) == ("consultation.read", visit.row.pk, visit.row.patient_id)


@pytest.mark.parametrize(("name", "number", "ceiling"), [("change", None, 22), ("step", 1, 22), ("complete", None, 22)])
def test_a_page_of_a_visit_takes_a_constant_number_of_queries(
    staff: dict[str, User], name: str, number: int | None, ceiling: int
) -> None:
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], register_patient()), *range(10))
    client = browser(staff["doctor"])
    with CaptureQueriesContext(connection) as asked:
        assert client.get(page(name, visit, *([] if number is None else [number]))).status_code == 200
    assert len(asked) <= ceiling


def test_the_list_takes_as_many_queries_for_one_visit_as_for_many(staff: dict[str, User]) -> None:
    client, counts = browser(staff["doctor"]), []
    for name in ("Ann", "Bea", "Cora"):
        start_consultation(staff["doctor"], register_patient(name, "Roe"))
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
        counts.append(len(asked))
    assert len(set(counts)) == 1


def test_a_visit_is_started_from_the_patient_s_and_the_appointment_s_page_by_those_who_may(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(register_patient("Ann", "Roe"), doctor)
    pages = [
        reverse("admin:patients_patient_change", args=[patient.pk]),
        reverse("admin:appointments_appointment_change", args=[appointment.pk]),
    ]
    starts = [f"{LIST}add/?patient={patient.pk}", f"{LIST}add/?appointment={appointment.pk}"]
    other = hire("dr.two", "doctor", specialty="Cardiology")
    for user, offered in (
        (doctor, [True, True]),
        (staff["nurse"], [True, True]),
        (other, [True, False]),
        (staff["receptionist"], [False] * 2),
    ):
        shown = [browser(user).get(one).content.decode() for one in pages]
        assert [start in text for start, text in zip(starts, shown, strict=True)] == offered, user.role
    client = browser(doctor)
    assert client.post(starts[1], {"workflow_type": "quick"}).status_code == 302
    again = client.get(pages[1]).content.decode()
    live = Consultation.objects.get(appointment=appointment)
    assert reverse("admin:consultations_consultation_change", args=[live.pk]) in again
    assert starts[1] not in again
