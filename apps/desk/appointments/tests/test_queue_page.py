"""The page of the queue: what it shows to which user, what it marks, what its script gets, and triage from its rows."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book_and_check_in
from apps.audit.models import AuditEvent
from apps.consultations import services as visits
from apps.consultations.services import NewConsultation
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import save
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

QUEUE = "/admin/queue/"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """It is ten o'clock where the clinic is."""
    with time_machine.travel(at("10:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def nurse(staff: dict[str, User]) -> Client:
    return browser(staff["nurse"])


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    return staff["doctor"]


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()


def rows(text: str) -> list[list[str]]:
    """Returns the table as a user reads it, a list of cells for each row."""
    body = re.search(r"<tbody>.*</tbody>", text, re.S)
    table_rows = re.findall(r"<tr.*?</tr>", body.group() if body else "", re.S)
    return [[" ".join(unescape(strip_tags(cell)).split()) for cell in re.split(r"<t[hd][^>]*>", row)[1:]] for row in table_rows]


def seen(text: str) -> str:
    tag = re.search(r'data-seen="(\w+)"', text)
    assert tag
    return tag.group(1)


def visit_of(row: Appointment) -> NewConsultation:
    return NewConsultation(patient_id=row.patient_id, appointment_id=row.pk, early=True)


def test_the_page_shows_the_queue_in_order_with_what_one_asks_at_the_desk(nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient(), doctor, 12)
    row = book_and_check_in(register_patient("Ann", "Roe"), doctor, 3, "urgent", appointment_type="follow_up")
    services.change(by=SYSTEM, appointment_id=row.pk, changes={"triage_reason": "Fever"})
    text = text_of(nurse.get(QUEUE))
    first, second = rows(text)
    assert first[:2] == ["1", "2"]
    assert re.fullmatch(r"ROE, Ann \d+ years Urgent ?Follow-up · Fever · MRN\d+", first[2])
    assert first[3:8] == ["18:15", "Dr Tester", "Waiting", "3 min", "10:00"]
    assert (second[0], second[5:8]) == ("2", ["Waiting", "12 min", "10:15"])
    assert "2 waiting, 1 urgent · longest 12 min · 0 in progress" in " ".join(strip_tags(text).split())
    assert reverse("admin:appointments_appointment_change", args=[row.pk]) in text


def test_a_long_wait_is_described_in_words_from_the_minutes_the_clinic_set(nurse: Client, doctor: User, settings: Any) -> None:
    for ago in (14, 15, 29, 30):
        book_and_check_in(register_patient("Ann", f"Roe{chr(65 + ago)}"), doctor, ago)
    text = text_of(nurse.get(QUEUE))
    red, amber = ", very long wait, over 30 minutes", ", long wait, over 15 minutes"
    assert [row[6] for row in rows(text)] == [f"30 min{red}", f"29 min{amber}", f"15 min{amber}", "14 min"]
    assert re.findall(r'class="wait ?(\w*)"', text) == ["bad", "warn", "warn", ""]
    assert re.findall(r'<rect width="(\d+)"', text) == ["30", "29", "15", "14"]
    settings.HIMS_QUEUE_AMBER_MINUTES, settings.HIMS_QUEUE_RED_MINUTES = 30, 60
    waits = [row[6] for row in rows(text_of(nurse.get(QUEUE)))]
    assert waits == ["30 min, long wait, over 30 minutes", "29 min", "15 min", "14 min"]


def test_an_empty_queue_is_shown_with_what_to_do_next(nurse: Client) -> None:
    text = text_of(nurse.get(QUEUE))
    assert "No patients are waiting" in text
    assert reverse("admin:schedule") in text


def test_a_left_over_patient_is_marked_and_gets_no_estimate(nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient("Ann", "Roe"), doctor, 24 * 60)
    ((*_, status, waits, still, do),) = rows(text_of(nurse.get(QUEUE)))
    assert re.fullmatch(r"Waiting Left over ?since Sun .*, 10:00", status)
    assert (waits, still) == ("", "")
    assert "Call in" not in do


def test_one_doctors_queue_is_shown_alone_and_nonsense_shows_all(nurse: Client, doctor: User) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    book_and_check_in(register_patient(), doctor, 5), book_and_check_in(register_patient("Ann", "Roe"), patel, 4)

    def shown(query: str) -> list[str]:
        return [row[2].split()[0] for row in rows(text_of(nurse.get(QUEUE + query)))]

    assert shown(f"?doctor={patel.pk}") == ["ROE,"]
    assert shown("?doctor=nobody") == shown("") == shown("?doctor=00000000-0000-0000-0000-000000000001") == ["DOE,", "ROE,"]


def test_doctors_see_only_their_own_queue_and_cannot_choose_another(staff: dict[str, User], doctor: User) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    book_and_check_in(register_patient(), doctor, 5), book_and_check_in(register_patient("Ann", "Roe"), patel, 4)
    text = text_of(browser(doctor).get(f"{QUEUE}?doctor={patel.pk}"))
    assert [row[2].split()[0] for row in rows(text)] == ["DOE,"]
    assert "Dr Patel" not in text


def test_a_closed_chart_is_not_on_the_page(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    dora = register_patient("Dora", "Hale")
    book_and_check_in(dora, doctor, 5)
    restrict(dora, staff["nurse"])
    assert "HALE" in text_of(nurse.get(QUEUE))
    assert "No patients are waiting" in text_of(browser(staff["receptionist"]).get(QUEUE))


def test_the_home_counts_the_waiting_room_and_leads_there(nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient(), doctor, 5), book_and_check_in(register_patient("Ann", "Roe"), doctor, 24 * 60)
    text = nurse.get("/admin/").content.decode()
    assert f'<a href="{QUEUE}">To call in</a></h2><div class="v">1</div>' in text


def test_a_manager_sees_the_queue_without_reasons_and_sets_no_triage(staff: dict[str, User], doctor: User) -> None:
    row, manager = book_and_check_in(register_patient(), doctor, 9), browser(staff["manager"])
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"triage": "urgent", "triage_reason": "Chest pain"})
    page = text_of(manager.get(QUEUE))
    assert "DOE, John" in page
    assert "Chest pain" not in page
    assert manager.post(QUEUE, {"visit": str(row.pk), "triage": "routine", "triage_reason": "Better"}).status_code == 403


# Where the patients are, and each role's next step


def places(client: Client, query: str = "") -> list[tuple[str, str, str, str]]:
    """Returns number, name, status and next step of each row."""
    text = text_of(client.get(QUEUE + query))
    steps = [
        re.search(r'<button class="btn small">(\w[\w ]*)|<a class="btn small"[^>]*>(\w[\w ]*)', row)
        for row in text.split("<tr id=")[1:]
    ]
    names = [(row[0], row[2].split(",")[0], row[5]) for row in rows(text)]
    return [(*name, (step[1] or step[2]).strip() if step else "") for name, step in zip(names, steps, strict=True)]


def test_each_role_sees_where_the_patients_are_and_its_own_next_step(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient("Ann", "Waits"), doctor, 5)
    with_nurse = book_and_check_in(register_patient("Bea", "Weighed"), doctor, 9)
    visits.start(by=staff["nurse"], new=visit_of(with_nurse))
    handed = book_and_check_in(register_patient("Cora", "Handed"), doctor, 20)
    visits.ready(by=staff["nurse"], consultation_id=visits.start(by=staff["nurse"], new=visit_of(handed)).row.pk)
    seen_now = book_and_check_in(register_patient("Dora", "Seen"), doctor, 30)
    visits.start(by=doctor, new=visit_of(seen_now))
    states = [("1", "HANDED", "Ready for the doctor since 10:00"), ("–", "SEEN", "With doctor"), ("–", "WEIGHED", "With nurse")]
    states.append(("2", "WAITS", "Waiting"))
    assert places(nurse) == [(*one, step) for one, step in zip(states, ("", "", "Go on", "Call in"), strict=True)]
    own = places(browser(doctor))
    assert own == [(*one, step) for one, step in zip(states, ("Start", "Go on", "", "Start"), strict=True)]
    assert places(browser(staff["receptionist"])) == [(*one, "") for one in states]


def test_a_state_is_shown_alone_and_keeps_the_numbers_of_all(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient("Ann", "Waits"), doctor, 5)
    visits.start(by=doctor, new=visit_of(book_and_check_in(register_patient("Dora", "Seen"), doctor, 30)))
    assert [one[1] for one in places(nurse, "?state=waiting")] == ["WAITS"]
    assert [one[1] for one in places(nurse, f"?state=doctor&doctor={doctor.pk}")] == ["SEEN"]
    assert len(places(nurse, "?state=nonsense")) == 2
    chips = {
        str(chip["label"]).strip("\u2068\u2069"): chip["count"] for chip in nurse.get(f"{QUEUE}?state=doctor").context["chips"]
    }
    assert (chips["Waiting"], chips["With doctor"]) == (1, 1)
    assert "With nurse" not in chips


def test_a_patient_with_an_alert_stays_in_sight_whatever_state_is_chosen(
    staff: dict[str, User], nurse: Client, doctor: User
) -> None:
    book_and_check_in(register_patient("Ann", "Waits"), doctor, 5)
    ill = visits.start(by=doctor, new=visit_of(book_and_check_in(register_patient("Dora", "Ill"), doctor, 30)))
    save(staff["nurse"], ill, Step.VITALS, {"bp": "210/130", "spo2": 88})
    assert {one[1] for one in places(nurse, "?state=waiting")} == {"WAITS", "ILL"}


def test_the_reason_of_the_visit_is_for_clinical_users(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient(), doctor, 5, notes="Earache and fever")
    assert "Earache and fever" in text_of(nurse.get(QUEUE))
    assert "Earache" not in text_of(browser(staff["receptionist"]).get(QUEUE))


def test_a_row_offers_only_what_the_user_may_do_now(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    row = book_and_check_in(register_patient(), doctor, 5)
    page = "admin:appointments_appointment_"
    undo, left = (reverse(f"{page}{name}", args=[row.pk]) for name in ("undo_check_in", "no_show"))
    text = text_of(nurse.get(QUEUE))
    assert undo in text
    assert left not in text  # the time of the appointment has not come
    assert nurse.get(undo).status_code == 200


# Triage


def test_a_patient_is_triaged_from_the_row_and_comes_first(nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient(), doctor, 9)
    row = book_and_check_in(register_patient("Ann", "Roe"), doctor, 3)
    body = {"visit": str(row.pk), "triage": "emergency", "triage_reason": " Chest pain "}
    response = nurse.post(f"{QUEUE}?doctor={doctor.pk}", body, follow=True)
    assert response.redirect_chain == [(f"{QUEUE}?doctor={doctor.pk}", 302)]
    text = text_of(response)
    assert "The priority is saved." in text
    assert re.fullmatch(r"ROE, Ann \d+ years Emergency ?Consultation · Chest pain · MRN\d+", rows(text)[0][2])
    row.refresh_from_db()
    assert (row.triage, row.triage_reason) == ("emergency", "Chest pain")
    assert AuditEvent.objects.filter(action="appointment.updated", object_id=row.pk).exists()


def test_only_a_routine_patient_is_offered_to_be_marked_as_urgent(nurse: Client, doctor: User) -> None:
    row = book_and_check_in(register_patient(), doctor, 9)
    assert "Mark as urgent" in text_of(nurse.get(QUEUE))
    nurse.post(QUEUE, {"visit": str(row.pk), "triage": ["routine", "urgent"], "triage_reason": "Fever"})  # the list, the button
    row.refresh_from_db()
    assert row.triage == "urgent"
    assert "Mark as urgent" not in text_of(nurse.get(QUEUE))


@pytest.mark.parametrize("changes", [{"triage": "soon"}, {"visit": "x"}, {"triage_reason": "x" * 401}])
def test_a_triage_that_makes_no_sense_is_not_taken(nurse: Client, doctor: User, changes: dict[str, str]) -> None:
    row = book_and_check_in(register_patient(), doctor, 9)
    body = {"visit": str(row.pk), "triage": "urgent", "triage_reason": ""} | changes
    assert "The priority was not saved" in text_of(nurse.post(QUEUE, body, follow=True))
    assert Appointment.objects.get(pk=row.pk).triage == "routine"


def test_who_is_gone_meanwhile_is_not_triaged_and_a_colleague_s_never(
    staff: dict[str, User], nurse: Client, doctor: User
) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    row, other = book_and_check_in(register_patient(), doctor, 9), book_and_check_in(register_patient("Ann", "Roe"), patel, 9)
    services.cancel(by=SYSTEM, appointment_id=row.pk)
    body = {"triage": "urgent", "triage_reason": ""}
    assert "The appointment has ended" in text_of(nurse.post(QUEUE, body | {"visit": str(row.pk)}, follow=True))
    assert browser(doctor).post(QUEUE, body | {"visit": str(other.pk)}).status_code == 403
    assert nurse.post(QUEUE, body | {"visit": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}).status_code == 404
    assert browser(staff["billing"]).post(QUEUE, body | {"visit": str(other.pk)}).status_code == 403
    assert Appointment.objects.get(pk=other.pk).triage == "routine"


# What the script asks for


def test_the_script_gets_the_table_alone(nurse: Client, doctor: User) -> None:
    book_and_check_in(register_patient(), doctor, 9)
    part = text_of(nurse.get(f"{QUEUE}?part=1"))
    assert part.lstrip().startswith('<div id="hims-queue-part"')
    assert "<html" not in part
    assert rows(part) == rows(text_of(nurse.get(QUEUE)))


def test_the_trail_has_a_row_where_other_people_are_shown(
    nurse: Client, doctor: User, clock: Any, staff: dict[str, User]
) -> None:
    def looks() -> int:
        return AuditEvent.objects.filter(action="queue.listed").count()

    book_and_check_in(register_patient(), doctor, 9)
    tag = seen(text_of(nurse.get(QUEUE)))
    assert looks() == 1
    clock.shift(5 * MINUTE)
    assert seen(text_of(nurse.get(f"{QUEUE}?part=1&seen={tag}"))) == tag
    assert looks() == 1
    book_and_check_in(register_patient("Ann", "Roe"), doctor, 0)
    new = seen(text_of(nurse.get(f"{QUEUE}?part=1&seen={tag}")))
    assert (looks(), new == tag) == (2, False)
    assert seen(text_of(browser(staff["receptionist"]).get(f"{QUEUE}?part=1&seen={new}"))) != new
    assert looks() == 3  # a tag is one person's
    nurse.get(f"{QUEUE}?part=1&seen={'é' * 3}"), nurse.get(f"{QUEUE}?seen={new}")
    assert looks() == 5
    clock.shift(60 * MINUTE)
    with_session = nurse.get(f"{QUEUE}?part=1&seen={new}")
    assert with_session.status_code == 302  # an hour later the session has ended


def test_the_script_extends_no_session(nurse: Client, doctor: User, clock: Any) -> None:
    for _ in range(2):
        clock.shift(7 * MINUTE)
        response = nurse.get(f"{QUEUE}?part=1")
        assert (response.status_code, "sessionid" in response.cookies) == (200, False)
    clock.shift(2 * MINUTE)
    assert nurse.get(f"{QUEUE}?part=1").status_code == 302
    again = browser(User.objects.get(username="nurse.ward"))
    for _ in range(3):
        clock.shift(10 * MINUTE)
        assert again.get(QUEUE).status_code == 200  # a person's look does


def test_a_long_queue_costs_as_many_statements_as_a_short_one(nurse: Client, doctor: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as log:
            assert nurse.get(QUEUE).status_code == 200
        return len(log)

    book_and_check_in(register_patient(), doctor, 5)
    statements()
    short = statements()
    for number in range(9):
        row = book_and_check_in(register_patient("Ann", f"Roe{chr(65 + number)}"), doctor, number)
        if number > 6:
            visits.start(by=doctor, new=visit_of(row))
    assert statements() <= short + 1  # the visits in progress
    few = statements()
    for number in range(9):
        row = book_and_check_in(register_patient("Bea", f"Roe{chr(65 + number)}"), doctor, number)
        visits.start(by=doctor, new=visit_of(row))
    assert statements() == few
