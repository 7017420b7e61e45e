"""Sends sequences of schedule requests over HTTP, and compares each reply with section 3 of the contract.

The model below is written from the contract and knows nothing of the code it watches. Hypothesis looks for a sequence in which
the two differ, or after which there is a double booking.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, hire
from apps.appointments import services
from apps.appointments.models import Appointment, StatusChange
from apps.appointments.tests.factories import at, publish, room
from apps.common import clock
from apps.common.errors import Conflict
from apps.common.tests.state_machine import run_state_machine
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


MOVES = {
    "requested": {"scheduled", "cancelled"},
    "scheduled": {"confirmed", "checked_in", "cancelled", "no_show"},
    "confirmed": {"checked_in", "cancelled", "no_show"},
    "checked_in": {"cancelled", "no_show"},
    "in_progress": set(),
    "no_show": {"checked_in"},
    "completed": set(),
    "cancelled": set(),
}
LIVE = {"scheduled", "confirmed", "checked_in", "in_progress"}
MOVABLE = {"requested", "scheduled", "confirmed"}
ACTIONS = {"confirm": "confirmed", "check-in": "checked_in", "no-show": "no_show", "cancel": "cancelled"}
BEGIN_FROM = {"scheduled", "confirmed", "checked_in"}


@dataclass
class Visit:
    id: str
    patient: int
    doctor: int
    room: int | None
    start: datetime
    minutes: int
    status: str
    overbook: bool
    before: str = ""  # scheduled or confirmed: what the visit was before it was checked in

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


slots = st.integers(0, 7)  # half hours of next Monday morning, or of a past one
lengths = st.sampled_from([15, 30, 45, 60])
people, doctors = st.integers(0, 2), st.integers(0, 1)
rooms = st.sampled_from([None, None, 0])


class ScheduleMachine(RuleBasedStateMachine):
    visits = Bundle("visits")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.people = [register_patient("Ann", f"Roe{letter}") for letter in "abc"]
        self.doctors = [hire(f"dr.{number}", "doctor", specialty="Any") for number in ("one", "two")]
        for doctor in self.doctors:
            publish(doctor, overbook_per_day=2)
        self.room = room()
        self.receptionist_api = api_client(hire("desk.machine", "receptionist"))
        self.known: list[Visit] = []

    def teardown(self) -> None:
        connection.set_rollback(True)
        self.undo.__exit__(None, None, None)

    # What the model says

    def taken(self, there: Visit) -> set[str]:
        """Who of the visit is elsewhere at its time."""
        parties = set()
        for other in self.known:
            if other is there or other.id == there.id or other.status not in LIVE:
                continue
            if other.start >= there.end or there.start >= other.end:
                continue
            if other.patient == there.patient:
                parties.add("patient")
            if not (other.overbook or there.overbook):
                parties |= {"doctor"} if other.doctor == there.doctor else set()
                parties |= {"room"} if there.room is not None and other.room == there.room else set()
        return parties

    def seats_left(self, there: Visit) -> bool:
        day = there.start.date()
        here = [
            other
            for other in self.known
            if other.overbook and other.doctor == there.doctor and other.start.date() == day and other.status in LIVE
        ]
        return len([other for other in here if other.id != there.id]) < 2

    def expect_taken(self, reply: Any, there: Visit) -> None:
        details = reply.json()["error"]["details"]
        assert reply.status_code == 409
        assert set(details["taken"]) == self.taken(there)
        assert len(details["alternatives"]) == 3
        for free in details["alternatives"]:
            when = datetime.fromisoformat(free["scheduled_time"])
            other = Visit("", there.patient, there.doctor, there.room, when, there.minutes, "scheduled", False)
            assert not self.taken(other), f"{free} is no alternative"

    def when(self, slot: int, past: bool) -> datetime:
        hour = f"{9 + slot // 2:02}:{30 * (slot % 2):02}"
        return at(hour) - timedelta(days=28 if past else 0)

    # What happens

    @rule(
        target=visits,
        patient=people,
        doctor=doctors,
        slot=slots,
        minutes=lengths,
        place=rooms,
        past=st.booleans(),
        overbook=st.booleans(),
        asked=st.booleans(),
    )
    def book(
        self, patient: int, doctor: int, slot: int, minutes: int, place: int | None, past: bool, overbook: bool, asked: bool
    ) -> Any:
        there = Visit(
            "",
            patient,
            doctor,
            place,
            self.when(slot, past),
            minutes,
            "requested" if asked else "scheduled",
            overbook and not asked,
        )
        sent: dict[str, Any] = {
            "patient_id": str(self.people[patient].pk),
            "doctor_id": str(self.doctors[doctor].pk),
            "scheduled_time": there.start.isoformat(),
            "duration_minutes": minutes,
            "status": there.status,
            "room_id": str(self.room.pk) if place is not None else None,
            "overbook_reason": "Cannot wait" if there.overbook else "",
        }
        reply = self.receptionist_api.post("/appointments", sent)
        if there.overbook and not self.seats_left(there):
            assert reply.status_code == 409
            return multiple()
        if there.status in LIVE and self.taken(there):
            self.expect_taken(reply, there)
            return multiple()
        assert reply.status_code == 201, reply.content
        warned = {one["code"] for one in reply.json().get("warnings", [])}
        assert ("in_the_past" in warned) == past
        there.id, there.before = reply.json()["data"]["appointment"]["id"], "scheduled"
        self.known.append(there)
        return there

    @rule(visit=visits, doctor=doctors, slot=slots, minutes=lengths)
    def move(self, visit: Visit, doctor: int, slot: int, minutes: int) -> None:
        past = visit.start < clock.now()
        there = Visit(visit.id, visit.patient, doctor, visit.room, self.when(slot, past), minutes, visit.status, visit.overbook)
        same = (there.doctor, there.start, there.minutes) == (visit.doctor, visit.start, visit.minutes)
        reply = self.receptionist_api.put(
            f"/appointments/{visit.id}",
            {
                "doctor_id": str(self.doctors[doctor].pk),
                "scheduled_time": there.start.isoformat(),
                "duration_minutes": minutes,
            },
        )
        if same:
            assert reply.status_code == 200
        elif visit.status not in MOVABLE or (
            visit.overbook
            and (there.doctor, there.start.date()) != (visit.doctor, visit.start.date())
            and not self.seats_left(there)
        ):
            assert reply.status_code == 409
        elif visit.status in LIVE and self.taken(there):
            self.expect_taken(reply, there)
        else:
            assert reply.status_code == 200, reply.content
            visit.doctor, visit.start, visit.minutes = there.doctor, there.start, there.minutes

    @rule(visit=visits, action=st.sampled_from(sorted(ACTIONS)))
    def act(self, visit: Visit, action: str) -> None:
        self.check_reply(visit, ACTIONS[action], self.receptionist_api.post(f"/appointments/{visit.id}/{action}"))

    @rule(visit=visits)
    def check_in_early(self, visit: Visit) -> None:
        self.check_reply(
            visit, "checked_in", self.receptionist_api.post(f"/appointments/{visit.id}/check-in", {"early": True}), early=True
        )

    @rule(visit=visits)
    def undo_check_in(self, visit: Visit) -> None:
        reply = self.receptionist_api.post(f"/appointments/{visit.id}/undo-check-in")
        if visit.status != "checked_in":
            assert reply.status_code == 409, reply.content
            return
        row = reply.json()["data"]["appointment"]
        assert (reply.status_code, row["status"]) == (200, visit.before)
        assert (row["checked_in_at"], row["queue_number"]) == (None, None)
        visit.status = visit.before

    @rule(visit=visits)
    def delete(self, visit: Visit) -> None:
        self.check_reply(visit, "cancelled", self.receptionist_api.call("DELETE", f"/appointments/{visit.id}"))

    @rule(visit=visits, to=st.sampled_from(sorted(MOVES)))
    def put(self, visit: Visit, to: str) -> None:
        reply = self.receptionist_api.put(f"/appointments/{visit.id}", {"status": to})
        if to == visit.status and to not in ("completed", "cancelled"):
            assert reply.status_code == 200
        else:
            self.check_reply(visit, to, reply)

    def check_reply(self, visit: Visit, to: str, reply: Any, *, early: bool = False) -> None:
        """The reply to a wish for a status is the contract's, and the model goes along."""
        legal = to in MOVES[visit.status]
        if to == "no_show" and visit.start > clock.now():
            legal = False
        if visit.status == "no_show" and visit.start.date() != clock.today():
            legal = False
        if legal and to == "checked_in" and not early:  # no visit of the model is of today
            assert (reply.status_code, reply.json()["error"]["details"]["reason"]) == (409, "not_today")
            return
        comes_back = legal and to in LIVE and visit.status not in LIVE
        if comes_back and self.taken(visit):
            self.expect_taken(reply, visit)
            return
        if not legal:
            details = reply.json()["error"]["details"]
            assert reply.status_code == 409, reply.content
            assert (details["from"], details["to"], set(details["allowed"])) == (visit.status, to, MOVES[visit.status])
            return
        assert (reply.status_code, reply.json()["data"]["appointment"]["status"]) == (200, to)
        self.goes(visit, to)

    def goes(self, visit: Visit, to: str) -> None:
        visit.status = to
        if to in ("scheduled", "confirmed"):
            visit.before = to

    @rule(visit=visits, act=st.sampled_from(["start", "complete", "return_to_queue"]))
    def consult(self, visit: Visit, act: str) -> None:
        """What only a consultation does."""
        goes = {"start": BEGIN_FROM, "complete": {"in_progress"}, "return_to_queue": {"in_progress"}}[act]
        ends = {"start": "in_progress", "complete": "completed", "return_to_queue": "checked_in"}[act]
        try:
            getattr(services, act)(by=SYSTEM, appointment_id=visit.id, **({"early": True} if act == "start" else {}))
        except Conflict:
            assert visit.status not in goes
        else:
            assert visit.status in goes
            visit.status = ends

    @rule(visit=consumes(visits))
    def forget(self, visit: Visit) -> None:
        """Let others come up more often."""

    # What always holds

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        rows = {str(row.pk): row for row in Appointment.objects.all()}
        assert rows.keys() == {visit.id for visit in self.known}
        for visit in self.known:
            row = rows[visit.id]
            assert (row.status, row.scheduled_time, row.duration_minutes) == (visit.status, visit.start, visit.minutes)
            assert row.doctor_id == self.doctors[visit.doctor].pk

    @invariant()
    def no_double_booking(self) -> None:
        live = [visit for visit in self.known if visit.status in LIVE]
        assert not [visit for visit in live if self.taken(visit)]

    @invariant()
    def the_history_ends_where_each_visit_is(self) -> None:
        last = {str(change.appointment_id): change.to_status for change in StatusChange.objects.order_by("id")}
        assert last == {visit.id: visit.status for visit in self.known}


def test_every_sequence_of_schedule_requests_answers_as_the_contract_says(staff: dict[str, User]) -> None:
    run_state_machine(ScheduleMachine)
