"""An appointment of another day is checked in or started only if the user confirms it; a check-in can be undone."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment, StatusChange
from apps.appointments.tests.factories import at, book, monday, publish
from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

OTHER_DAYS = (-200, -1, 1, 200)
PAGE = "/admin/appointments/appointment"


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    publish(staff["doctor"])
    return api_client(staff["receptionist"])


def visit_on(staff: dict[str, User], days: int, **visit: Any) -> Appointment:
    """A visit so many days from today, at an hour that no change of the clocks moves."""
    return book(register_patient("Ann", f"Roe{days}"), staff["doctor"], at("12:00", monday() + timedelta(days=days)), **visit)


@pytest.mark.parametrize("days", OTHER_DAYS)
def test_a_visit_of_another_day_is_checked_in_only_early(receptionist_api: Any, staff: dict[str, User], days: int) -> None:
    row = visit_on(staff, days)
    with time_machine.travel(at("09:00"), tick=False):
        receptionist_api = api_client(staff["receptionist"])
        for refusal in (
            receptionist_api.post(f"/appointments/{row.pk}/check-in"),
            receptionist_api.post(f"/appointments/{row.pk}/check-in", {"early": False}),
            receptionist_api.put(f"/appointments/{row.pk}", {"status": "checked_in"}),
        ):
            details = refusal.json()["error"]["details"]
            assert (refusal.status_code, details["reason"], details["from"]) == (409, "not_today", "scheduled")
        done = receptionist_api.post(f"/appointments/{row.pk}/check-in", {"early": True})
        assert (done.status_code, done.json()["data"]["appointment"]["status"]) == (200, "checked_in")


def test_a_visit_of_today_needs_no_word_and_put_takes_early(staff: dict[str, User], receptionist_api: Any) -> None:
    today, later = visit_on(staff, 0), visit_on(staff, 30)
    with time_machine.travel(at("00:05"), tick=False):
        receptionist_api = api_client(staff["receptionist"])
        assert receptionist_api.post(f"/appointments/{today.pk}/check-in").status_code == 200
        assert receptionist_api.put(f"/appointments/{later.pk}", {"status": "checked_in", "early": True}).status_code == 200


def test_a_new_time_and_a_status_sent_together_are_checked_by_the_new_time(staff: dict[str, User]) -> None:
    today, later, day = visit_on(staff, 0), visit_on(staff, 1), monday()
    with time_machine.travel(at("13:00"), tick=False):
        receptionist_api = api_client(staff["receptionist"])

        def change(row: Appointment, status: str, time: Any) -> tuple[int, str]:
            reply = receptionist_api.put(f"/appointments/{row.pk}", {"scheduled_time": time.isoformat(), "status": status})
            row.refresh_from_db()
            return reply.status_code, row.status

        assert change(today, "no_show", at("15:00", day)) == (409, "scheduled")
        assert change(today, "checked_in", at("15:00", day + timedelta(days=7))) == (409, "scheduled")
        assert today.scheduled_time == at("12:00", day)
        assert change(later, "checked_in", at("13:15", day)) == (200, "checked_in")
        assert change(today, "no_show", at("11:00", day)) == (200, "no_show")


@pytest.mark.parametrize("days", OTHER_DAYS)
def test_a_visit_of_another_day_is_begun_only_early(staff: dict[str, User], days: int) -> None:
    row = visit_on(staff, days)
    with time_machine.travel(at("09:00"), tick=False):
        with pytest.raises(services.NotToday) as refused:
            services.start(by=SYSTEM, appointment_id=row.pk)
        assert refused.value.details["reason"] == "not_today"
        assert services.start(by=SYSTEM, appointment_id=row.pk, early=True).status == "in_progress"


def test_who_was_checked_in_early_today_is_taken_in_without_another_word(staff: dict[str, User]) -> None:
    row = visit_on(staff, 30)
    with time_machine.travel(at("09:00"), tick=False):
        services.check_in(by=SYSTEM, appointment_id=row.pk, early=True)
        assert services.start(by=SYSTEM, appointment_id=row.pk).status == "in_progress"


def test_who_was_checked_in_on_an_earlier_day_is_not_taken_in_by_mistake(staff: dict[str, User]) -> None:
    row = visit_on(staff, 0)
    with time_machine.travel(at("09:00"), tick=False):
        services.check_in(by=SYSTEM, appointment_id=row.pk)
    with time_machine.travel(at("09:00", monday() + timedelta(days=1)), tick=False), pytest.raises(services.NotToday):
        services.start(by=SYSTEM, appointment_id=row.pk)


@pytest.mark.parametrize("before", ["scheduled", "confirmed"])
def test_a_check_in_is_undone_back_to_what_the_visit_was(receptionist_api: Any, staff: dict[str, User], before: str) -> None:
    row = visit_on(staff, 30)
    if before == "confirmed":
        receptionist_api.post(f"/appointments/{row.pk}/confirm")
    receptionist_api.post(f"/appointments/{row.pk}/check-in", {"early": True})
    OutboxEvent.objects.all().delete()
    done = receptionist_api.post(f"/appointments/{row.pk}/undo-check-in")
    appointment = done.json()["data"]["appointment"]
    assert (done.status_code, appointment["status"], appointment["checked_in_at"], appointment["queue_number"]) == (
        200,
        before,
        None,
        None,
    )
    assert [*StatusChange.objects.filter(appointment=row).order_by("id").values_list("from_status", "to_status")][-1] == (
        "checked_in",
        before,
    )
    (fact,) = OutboxEvent.objects.all()
    assert (fact.name, set(fact.payload["changes"])) == ("appointment.updated", {"status", "checked_in_at", "queue_number"})
    assert (
        AuditEvent.objects.filter(action="appointment.updated", object_id=row.pk).latest("at").user_id == staff["receptionist"].pk
    )
    again = receptionist_api.post(f"/appointments/{row.pk}/undo-check-in")
    assert (again.status_code, again.json()["error"]["details"]["from"]) == (409, before)
    assert receptionist_api.get("/queue").json()["data"]["queue"] == []


def test_a_check_in_after_a_missed_call_is_undone_to_what_was_agreed(staff: dict[str, User]) -> None:
    row = visit_on(staff, 0)
    with time_machine.travel(at("13:00"), tick=False):
        services.confirm(by=SYSTEM, appointment_id=row.pk)
        services.no_show(by=SYSTEM, appointment_id=row.pk)
        services.check_in(by=SYSTEM, appointment_id=row.pk)
        assert services.undo_check_in(by=SYSTEM, appointment_id=row.pk).status == "confirmed"


def test_nothing_is_undone_once_the_consultation_has_begun(receptionist_api: Any, staff: dict[str, User]) -> None:
    row = visit_on(staff, 30)
    services.start(by=SYSTEM, appointment_id=row.pk, early=True)
    refusal = receptionist_api.post(f"/appointments/{row.pk}/undo-check-in")
    assert (refusal.status_code, refusal.json()["error"]["details"]["from"]) == (409, "in_progress")
    services.return_to_queue(by=SYSTEM, appointment_id=row.pk)  # the consultation was cancelled: it was begun by mistake
    assert receptionist_api.post(f"/appointments/{row.pk}/undo-check-in").status_code == 200


def test_an_undone_check_in_leaves_no_alert_for_the_next_one(staff: dict[str, User]) -> None:
    row = visit_on(staff, 0)
    with time_machine.travel(at("12:00"), tick=False):
        receptionist_api = api_client(staff["receptionist"])
        row = services.check_in(by=SYSTEM, appointment_id=row.pk)
        services.set_queue_marks(
            by=SYSTEM, appointment=row, alert_since=at("12:00"), ready_since=None
        )  # by a visit that was given up
        for operation in ("undo-check-in", "check-in"):
            assert receptionist_api.post(f"/appointments/{row.pk}/{operation}").status_code == 200
        (waits,) = receptionist_api.get("/queue").json()["data"]["queue"]
    assert waits["alert_since"] is None


def test_a_status_is_not_put_back_past_the_operation(receptionist_api: Any, staff: dict[str, User]) -> None:
    row = visit_on(staff, 30)
    receptionist_api.post(f"/appointments/{row.pk}/check-in", {"early": True})
    refusal = receptionist_api.put(f"/appointments/{row.pk}", {"status": "scheduled"})
    assert (refusal.status_code, refusal.json()["error"]["details"]["allowed"]) == (409, ["cancelled", "no_show"])


def test_a_doctor_undoes_check_ins_in_their_own_schedule_alone(staff: dict[str, User]) -> None:
    row = visit_on(staff, 30)
    services.check_in(by=SYSTEM, appointment_id=row.pk, early=True)
    other = hire("dr.two", "doctor", specialty="Cardiology")
    assert api_client(other).post(f"/appointments/{row.pk}/undo-check-in").status_code == 403
    assert api_client(staff["doctor"]).post(f"/appointments/{row.pk}/undo-check-in").status_code == 200


def test_the_page_asks_before_it_checks_in_a_visit_of_another_day(staff: dict[str, User]) -> None:
    row, client = visit_on(staff, 30), browser(staff["receptionist"])
    address = f"{PAGE}/{row.pk}/check-in/"
    assert "I want this appointment" in client.get(address).content.decode()
    assert "Confirm that you want this one" in client.post(address).content.decode()
    assert client.post(address, {"early": "on"}).status_code == 302
    row.refresh_from_db()
    assert row.status == "checked_in"


def test_a_check_in_is_undone_on_the_page_and_from_the_queue(staff: dict[str, User]) -> None:
    row, client = visit_on(staff, 30), browser(staff["receptionist"])
    services.check_in(by=SYSTEM, appointment_id=row.pk, early=True)
    address = f"{PAGE}/{row.pk}/undo-check-in/"
    assert address in client.get("/admin/queue/").content.decode()
    assert address in client.get(f"{PAGE}/{row.pk}/change/").content.decode()
    assert client.post(address).status_code == 302
    row.refresh_from_db()
    assert row.status == "scheduled"
    assert client.get(address).status_code == 403
