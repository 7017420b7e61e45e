"""The visit as one page: the rail, the facts next to it, alerts where the user looks, the nurse's hand-over, the signed visit."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.common import clock
from apps.consultations import selectors, services
from apps.consultations.models import Consultation, StepSave
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.tests.factories import booked, fill, save, signed, start_consultation
from apps.desk.consultations.tests.test_admin import LIST, fill_in, page
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db


def rail(shown: Any) -> dict[str, tuple[str, str]]:
    """Returns word and note of each section."""
    return {one.name: (one.word, one.note) for one in shown.context["rail"]}


def test_the_rail_says_in_words_what_is_done_now_to_do_skipped_and_needs_the_user(staff: dict[str, User]) -> None:
    appointment = booked(register_patient(), staff["doctor"], "follow_up")
    visit = start_consultation(staff["doctor"], appointment.patient, appointment_id=appointment.pk)
    visit = save(staff["nurse"], visit, 1, {"pulse": 70})
    words = rail(browser(staff["doctor"]).get(page("step", visit, 7)))
    assert words["Vitals"][0] == "done"
    assert staff["nurse"].full_name in words["Vitals"][1]
    assert words["Symptoms"] == ("needs you", "Needed")
    assert words["Examination"] == ("skipped", "Skipped: The visit is a follow-up.")
    assert (words["Treatment plan"][0], words["Follow-up"][0]) == ("now", "to do")
    assert rail(browser(staff["nurse"]).get(page("step", visit, 1)))["Assessment"] == ("to do", "Needed")


def test_a_section_that_was_not_touched_stays_to_do_and_the_next_one_opens(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    assert fill_in(client, page("step", visit, 4)).headers["Location"] == page("step", visit, 5)
    assert not StepSave.objects.exists()


def test_a_visit_opens_at_the_vitals_for_a_nurse_and_at_the_first_open_section_for_the_doctor(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    assert browser(staff["nurse"]).get(page("go_on", visit)).headers["Location"] == page("step", visit, 1)
    assert browser(staff["doctor"]).get(page("go_on", visit)).headers["Location"] == page("step", visit, 0)
    fill(staff["doctor"], visit, 0, 1)
    assert browser(staff["doctor"]).get(page("go_on", visit)).headers["Location"] == page("step", visit, 2)
    assert browser(staff["billing"]).get(page("go_on", visit)).status_code == 403


def test_the_facts_next_to_the_visit_are_the_chart_s(staff: dict[str, User]) -> None:
    patient = register_patient()
    first = fill(staff["doctor"], start_consultation(staff["doctor"], patient), *range(10))
    save(staff["doctor"], first, 7, {"plan": "Walk 30 minutes a day"})
    services.complete(by=staff["doctor"], consultation_id=first.row.pk)
    facts = browser(staff["doctor"]).get(page("step", start_consultation(staff["doctor"], patient), 2)).context["facts"]
    assert facts.plan.text == "Walk 30 minutes a day"
    assert facts.problems
    assert (facts.allergy_status, facts.may_confirm) == ("not_asked", False)


def test_the_last_plan_is_one_that_was_signed_and_not_one_that_was_cleared_before(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    for plan, cleared in (("Walk 30 minutes a day", False), ("Two aspirin a day", True)):
        visit = start_consultation(doctor, patient)
        visit = save(doctor, save(doctor, visit, 7, {"plan": "Rest"}), 7, {"plan": plan})
        if cleared:
            save(doctor, visit, 7, {"plan": None})
        services.complete(by=doctor, consultation_id=visit.row.pk, override_incomplete=True, reason="Left early")
    now = start_consultation(doctor, patient)
    with CaptureQueriesContext(connection) as asked:
        plan_shown = selectors.last_plan(doctor, patient.pk, before=now.row.started_at)
    assert plan_shown is not None
    assert (plan_shown.text, len(asked)) == ("Walk 30 minutes a day", 1)


def test_a_second_open_visit_of_the_patient_is_shown_with_a_link(staff: dict[str, User], colleague: User) -> None:
    patient = register_patient()
    one, two = start_consultation(staff["doctor"], patient), start_consultation(colleague, patient)
    text = browser(staff["doctor"]).get(page("step", one, 1)).content.decode()
    assert "Another visit of this patient is open" in text
    assert page("change", two) in text
    services.cancel(by=colleague, consultation_id=two.row.pk, reason="Started twice")
    assert "Another visit" not in browser(staff["doctor"]).get(page("step", one, 1)).content.decode()


def test_the_page_that_starts_a_visit_warns_of_one_that_is_open(staff: dict[str, User], colleague: User) -> None:
    patient = register_patient()
    address = f"{reverse('admin:consultations_consultation_add')}?patient={patient.pk}"
    assert "already open" not in browser(staff["doctor"]).get(address).content.decode()
    visit = start_consultation(colleague, patient)
    text = browser(staff["doctor"]).get(address).content.decode()
    assert "A visit of this patient is already open" in text
    assert page("change", visit) in text
    services.cancel(by=colleague, consultation_id=visit.row.pk, reason="Started by mistake")
    assert "already open" not in browser(staff["doctor"]).get(address).content.decode()


def test_an_alert_is_answered_from_the_section_in_which_the_doctor_works(staff: dict[str, User]) -> None:
    visit = save(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 1, {"bp": "210/130"})
    (alert,) = visit.open_alerts
    client = browser(staff["doctor"])
    answer = {"version": "0", f"alert-{alert['id']}": "Repeated: 150/90", "plan": "Rest", "_ack": "1"}
    assert client.post(page("step", visit, 7), answer).headers["Location"] == page("step", visit, 7)
    assert StepSave.objects.get(number=7).state == "in_progress"  # what was typed meanwhile is a draft
    assert 'class="alert stop"' not in client.get(page("step", visit, 7)).content.decode()


def test_a_reading_that_fits_the_other_unit_is_converted_with_one_button(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    shown = fill_in(client, page("step", visit, 1), temperature_c="98.6")
    (row,) = [one for one in shown.context["vitals"] if one.suggestion]
    assert (row.box.name, row.suggestion.text, row.may_confirm) == ("temperature_c", "37.0 °C", False)
    assert fill_in(client, page("step", visit, 1), temperature_c="98.6", _unit=row.suggestion.choice).status_code == 302
    assert StepSave.objects.get().data["temperature_c"] == 37


def test_a_single_unlikely_reading_is_confirmed_at_its_box(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    assert [
        one.box.name for one in fill_in(client, page("step", visit, 1), pulse="240").context["vitals"] if one.may_confirm
    ] == ["pulse"]
    both = fill_in(client, page("step", visit, 1), pulse="240", respiratory_rate="90")
    assert not [one for one in both.context["vitals"] if one.may_confirm]  # one button must not confirm two
    assert fill_in(client, page("step", visit, 1), pulse="240", _confirm="1").status_code == 302


def test_a_value_with_an_alert_is_marked_at_its_box(staff: dict[str, User]) -> None:
    visit = save(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 1, {"bp": "210/130", "pulse": 70})
    shown = browser(staff["nurse"]).get(page("step", visit, 1))
    assert {one.box.name: len(one.flags) for one in shown.context["vitals"] if one.flags} == {"bp": 1}


def test_allergies_and_medicines_are_confirmed_with_one_click_from_any_section(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "allergy", "Penicillin")
    visit = start_consultation(staff["doctor"], patient)
    client, address = browser(staff["nurse"]), page("step", visit, 1)
    assert "Still correct (all)" in client.get(address).content.decode()
    assert fill_in(client, address, pulse="70", _still="1").headers["Location"] == address
    saved = {one.number: one for one in StepSave.objects.all()}
    assert saved[3].data == {"allergies_reviewed": True, "medications_reviewed": True, "problems_reviewed": True}
    assert (saved[3].state, saved[1].data, saved[1].state) == ("completed", {"pulse": 70}, "in_progress")


def test_the_overview_is_confirmed_with_one_click_and_the_history_with_it(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    shown = client.get(page("step", visit, 0)).content.decode()
    assert "Name and birth date match" in shown
    assert "still correct" not in shown  # allergies were not asked: there is nothing to confirm
    assert fill_in(client, page("step", visit, 0), _match="1").headers["Location"] == page("step", visit, 1)
    assert {one.number: (one.data, one.state) for one in StepSave.objects.all()} == {
        0: ({"identity_confirmed": True}, "completed")
    }
    assert "Name and birth date match" not in client.get(page("step", visit, 0)).content.decode()
    allergic = register_patient("Ann", "Roe")
    chart(allergic, "allergy", "Penicillin")
    visit = start_consultation(staff["doctor"], allergic)
    assert "medicines and problems are still correct" in client.get(page("step", visit, 0)).content.decode()
    assert fill_in(client, page("step", visit, 0), _match="all").headers["Location"] == page("step", visit, 1)
    saves = StepSave.objects.filter(consultation=visit.row.pk)
    assert {one.number: one.state for one in saves} == {0: "completed", 3: "completed"}
    assert fill_in(client, page("step", visit, 2), chief_complaint="Cough").headers["Location"] == page("step", visit, 4)


def test_the_history_of_a_standard_visit_is_confirmed_with_one_click_only_when_it_can_be_saved(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    chart(patient, "allergy", "Penicillin")
    visit, client = start_consultation(doctor, patient, "standard"), browser(doctor)

    def offered(number: int) -> list[bool]:
        text = client.get(page("step", visit, number)).content.decode()
        return ["Still correct (all)" in text, "Both match, and allergies" in text]

    assert offered(0) == [False, False]
    fill(doctor, visit, 0, 1)
    assert offered(2) == [False, False]
    fill(doctor, visit, 2)
    assert (offered(2), offered(0)) == ([True, False], [True, False])
    save(doctor, visit, 0, {"identity_confirmed": None}, completed=False)
    assert (offered(2), offered(0)) == ([False, False], [False, True])  # the second button completes the overview first
    fill_in(client, page("step", visit, 0), _match="all")
    assert {one.number for one in StepSave.objects.filter(state="completed")} == {0, 1, 2, 3}


def test_a_section_that_is_saved_before_a_refused_confirmation_has_its_new_version(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient(), "standard"), browser(staff["doctor"])
    form = client.get(page("step", visit, 0)).context["form"]
    answers = {"version": str(form["version"].value()), "identity_confirmed": "on", "_still": "1"}
    shown = client.post(page("step", visit, 0), answers, follow=True)
    assert shown.redirect_chain == [(page("step", visit, 0), 302)]
    text = shown.content.decode()
    assert "complete the earlier step first" in text
    assert "Not saved" not in text
    assert fill_in(client, page("step", visit, 0)).status_code == 302
    assert StepSave.objects.latest("id").state == "completed"


def test_the_trends_next_to_the_boxes_show_the_usual_range_of_adults(staff: dict[str, User]) -> None:
    for born, bands in ((date(1980, 5, 15), 1), (clock.today() - timedelta(days=3_000), 0)):
        patient = register_patient("Ann", f"Born {born.year}", born)
        chart(patient, "vital_sign", "Heart rate", code_system="LOINC", code="8867-4", value=70, unit="/min")
        shown = browser(staff["nurse"]).get(page("step", start_consultation(staff["doctor"], patient), 1))
        assert [one.box.name for one in shown.context["vitals"] if 'class="band"' in one.trend.svg] == ["pulse"] * bands
        assert shown.content.decode().count("Shaded in a trend") == bands


def test_allergies_that_were_not_asked_are_not_confirmed_with_one_click(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    for number in (1, 3):
        assert "Still correct (all)" not in client.get(page("step", visit, number)).content.decode()
    assert "Allergies were not asked." in client.get(page("step", visit, 3)).content.decode()


def test_a_nurse_saves_and_hands_over_with_one_click(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    assert fill_in(client, page("step", visit, 1), pulse="70", _ready="1").headers["Location"] == "/admin/"
    visit.row.refresh_from_db()
    assert visit.row.ready_at is not None
    assert StepSave.objects.get().state == "completed"
    assert 'name="_ready"' not in browser(staff["doctor"]).get(page("step", visit, 1)).content.decode()


def test_a_visit_is_signed_from_its_review(staff: dict[str, User]) -> None:
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], register_patient(), "quick"), 2, 7)
    client = browser(staff["doctor"])
    text = client.get(page("change", visit)).content.decode()
    assert f'action="{page("complete", visit)}"' in text
    assert client.post(page("complete", visit), {"notify_patient": "on", "version": shown_version(text)}).status_code == 302
    assert "Signed" in client.get(page("change", visit)).content.decode()


def shown_version(text: str) -> str:
    """Returns the version that the form on the page sends."""
    return re.findall(r'name="version" value="(\d+)"', text)[0]


@pytest.mark.parametrize("name", ["change", "complete"])
def test_what_was_saved_after_the_doctor_read_the_visit_is_shown_before_it_is_signed(staff: dict[str, User], name: str) -> None:
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], register_patient(), "quick"), 2, 7)
    client = browser(staff["doctor"])
    sent = {"version": shown_version(client.get(page(name, visit)).content.decode())}
    save(staff["nurse"], visit, 1, {"pulse": 44})
    refused = client.post(page("complete", visit), sent).content.decode()
    assert "The visit has changed since you read it." in refused
    assert "44 /min" in refused
    assert Consultation.objects.get().status == "in_progress"
    assert "The visit has changed" in client.post(page("complete", visit), {}).content.decode()  # a form that has shown nothing
    assert client.post(page("complete", visit), {"version": shown_version(refused)}).status_code == 302
    assert Consultation.objects.get().status == "completed"


def test_a_signed_visit_is_called_signed_and_not_completed(staff: dict[str, User]) -> None:
    visit, client = signed(staff["doctor"], register_patient()), browser(staff["doctor"])
    for words in ("signed", "signed, with an addendum"):
        section = client.get(page("step", visit, 2)).content.decode()
        assert f"The visit is {words}: its sections are read-only." in section
        assert f"<b>{words.capitalize()}</b>" in client.get(page("change", visit)).content.decode()
        services.add(by=staff["doctor"], consultation_id=visit.row.pk, text="Called back")


def test_a_signed_visit_has_no_rail_and_shows_its_addenda(staff: dict[str, User]) -> None:
    visit, client = signed(staff["doctor"], register_patient()), browser(staff["doctor"])
    services.add(by=staff["doctor"], consultation_id=visit.row.pk, text="Called back; well.")
    text = client.get(page("change", visit)).content.decode()
    assert "Steps of the visit" not in text
    assert "Called back; well." in text


def test_a_button_in_a_list_starts_a_visit_without_a_question(staff: dict[str, User]) -> None:
    appointment = booked(register_patient(), staff["doctor"])
    started = browser(staff["nurse"]).post(f"{LIST}add/?appointment={appointment.pk}", follow=True)
    assert started.context["here"] == 1


def autosaved(client: Client, visit: ConsultationDetails, number: int, **answers: str) -> dict[str, Any]:
    reply: dict[str, Any] = client.post(page("step", visit, number), {"version": "0", **answers, "_auto": "1"}).json()
    return reply


def test_a_section_that_saves_itself_is_never_done_by_that(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    result = autosaved(client, visit, 2, chief_complaint="Head")
    assert (result["isSaved"], result["version"], result["text"].startswith("Draft saved ")) == (True, 1, True)
    assert StepSave.objects.get().state == "in_progress"
    save(staff["doctor"], visit, 2, {"chief_complaint": "Headache"})
    assert autosaved(client, visit, 2, chief_complaint="Headache, left", version="2")["text"].startswith("Saved ")
    assert StepSave.objects.order_by("version").last().state == "completed"  # type: ignore[union-attr]  # there are three
    assert autosaved(client, visit, 7) == {}


def test_a_refused_autosave_names_its_box_and_saves_nothing(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    result = autosaved(client, visit, 1, bp="80/120")
    assert "systolic" in result["errors"]["id_bp"][0]
    assert not StepSave.objects.exists()


def test_an_autosave_never_overwrites_a_colleague(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    save(staff["nurse"], visit, 2, {"chief_complaint": "Headache"})
    assert "a colleague changed this section" in autosaved(client, visit, 2, chief_complaint="Cough")["text"]
    assert StepSave.objects.get().data == {"chief_complaint": "Headache"}


def test_an_autosaved_reading_shows_its_alert_at_once(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["nurse"])
    assert "Very high blood pressure" in autosaved(client, visit, 1, bp="210/130")["alerts"]
    assert autosaved(client, visit, 1, bp="120/80", version="1")["alerts"] == ""


def test_a_visit_is_guided_standard_or_quick_in_words(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    client = browser(doctor)
    asked = client.get(f"{reverse('admin:consultations_consultation_add')}?patient={patient.pk}").content.decode()
    assert re.findall(r"<option[^>]*>(\w+ visit)</option>", asked) == ["Guided visit", "Standard visit", "Quick visit"]
    visit = start_consultation(doctor, patient)
    assert "Guided visit" in client.get(reverse("admin:consultations_consultation_changelist")).content.decode()
    assert "adaptive" not in client.get(reverse("admin:consultations_consultation_change", args=[visit.row.pk])).content.decode()
