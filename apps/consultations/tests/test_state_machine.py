"""Sends sequences of consultation requests over HTTP, and compares each reply with section 3 of the contract.

The model below is written from the contract and knows nothing of the code it watches. Adaptive visits need steps 2 and 6 here:
the patient is an adult, and no measurement or report raises an alert.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, hire
from apps.appointments.models import Appointment
from apps.common.tests.state_machine import run_state_machine
from apps.consultations.models import Addendum, Consultation, ConsultationStatusChange, StepSave
from apps.consultations.tests.factories import booked
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


ALLOWED = {
    "in_progress": {"on_hold", "completed", "cancelled"},
    "on_hold": {"in_progress", "cancelled"},
    "completed": {"amended"},
    "amended": {"amended"},
    "cancelled": set(),
}
REQUIRED = {"standard": [0, 1, 2, 3, 4, 6, 7], "quick": [2, 7], "adaptive": [2, 6]}
NEEDED = {2: "chief_complaint", 6: "diagnoses", 7: "plan"}
APPOINTMENT = {"in_progress": "in_progress", "on_hold": "in_progress", "cancelled": "checked_in"}
GOOD: dict[int, list[dict[str, Any]]] = {
    0: [{"identity_confirmed": True}],
    1: [{"bp": "120/80"}, {"pulse": 71}],
    2: [{"chief_complaint": "Sore elbow"}, {"symptoms": []}],
    3: [{"allergies_reviewed": True}],
    4: [{"findings": ["Elbow tender"]}],
    5: [{"tests": []}],
    6: [{"diagnoses": [{"code": "R51.9", "primary": True}]}],
    7: [{"plan": "Rest"}, {"plan": "Rest, and a sling"}],
    8: [{"medications": []}],
    9: [{"instructions": "Come back if it gets worse"}],
}
BAD: dict[int, dict[str, Any]] = {
    0: {"identity_confirmed": "perhaps"},
    1: {"bp": "80/120"},
    2: {"chief_complaint": 7},
    3: {"reviewed": True},
    4: {"findings": "none"},
    5: {"tests": [{}]},
    6: {"diagnoses": [{"code": "E11"}]},
    7: {"plan": ""},
    8: {"medications": [{"dosage": "10 mg"}]},
    9: {"follow_up": {"in_days": 0}},
}


@dataclass
class ConsultationDetails:
    id: str
    workflow: str
    doctor: str
    status: str = "in_progress"
    appointment: str | None = None
    data: dict[int, dict[str, Any]] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    addenda: int = 0
    has_saves_of_doctor: bool = False
    signed: tuple[Any, ...] | None = None

    @property
    def missing(self) -> list[int]:
        return [step for step in REQUIRED[self.workflow] if self.state.get(step) != "completed"]


doctors, everybody = st.sampled_from(["one", "two"]), st.sampled_from(["one", "one", "two", "nurse"])
numbers = st.integers(0, 9)


class Room(RuleBasedStateMachine):
    visits = Bundle("visits")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.people = {name: hire(f"dr.{name}", "doctor", specialty="Any") for name in ("one", "two")}
        self.people["nurse"] = hire("nurse.machine", "nurse")
        self.callers = {name: api_client(person) for name, person in self.people.items()}
        self.known: list[ConsultationDetails] = []
        self.came = 0  # each in a quarter of an hour of their own

    def teardown(self) -> None:
        connection.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def acts_in(self, who: str, visit: ConsultationDetails) -> bool:
        """A nurse in every visit, a doctor in the own."""
        return who in ("nurse", visit.doctor)

    def post(self, who: str, visit: ConsultationDetails, act: str, body: dict[str, Any] | None = None) -> Any:
        return self.callers[who].post(f"/consultations/{visit.id}/{act}", body or {})

    def refused(self, reply: Any, visit: ConsultationDetails, to: str) -> None:
        """A move that the states do not allow."""
        details = reply.json()["error"]["details"]
        assert reply.status_code == 409, reply.content
        assert (details["from"], details["to"], set(details["allowed"])) == (visit.status, to, ALLOWED[visit.status])

    # What happens

    @rule(target=visits, who=everybody, doctor=doctors, workflow=st.sampled_from(sorted(REQUIRED)), asked=st.booleans())
    def start(self, who: str, doctor: str, workflow: str, asked: bool) -> Any:
        self.came += 1
        patient = register_patient("Ann", "Roe")
        body = {"patient_id": str(patient.pk), "workflow_type": workflow}
        appointment = booked(patient, self.people[doctor], minutes_ahead=30 * self.came) if asked else None
        if appointment:
            body |= {"appointment_id": str(appointment.pk), "early": True}  # late in the day the next half hours are tomorrow's
        elif who == "nurse":
            body["doctor_id"] = str(self.people[doctor].pk)
        reply = self.callers[who].post("/consultations", body)
        if asked and who not in ("nurse", doctor):
            assert reply.status_code == 403
            return multiple()
        assert reply.status_code == 201, reply.content
        whose = doctor if asked or who == "nurse" else who
        reply_data = reply.json()["data"]["consultation"]
        assert (reply_data["status"], reply_data["total_steps"]) == ("in_progress", 11)
        visit = ConsultationDetails(reply_data["id"], workflow, whose, appointment=str(appointment.pk) if appointment else None)
        self.known.append(visit)
        if asked:
            assert self.callers["nurse"].post("/consultations", body).status_code == 409
        return visit

    @rule(
        visit=visits, who=everybody, number=numbers, which=st.integers(0, 1), completed=st.sampled_from([None, None, True, False])
    )
    def save(self, visit: ConsultationDetails, who: str, number: int, which: int, completed: bool | None) -> None:
        sent = GOOD[number][which % len(GOOD[number])]
        self.put(visit, who, number, sent, completed, good=True)

    @rule(visit=visits, who=everybody, number=numbers)
    def save_nonsense(self, visit: ConsultationDetails, who: str, number: int) -> None:
        self.put(visit, who, number, BAD[number], None, good=False)

    @rule(visit=visits, number=st.integers(0, 7))
    def save_what_comes_next(self, visit: ConsultationDetails, number: int) -> None:
        """The doctor goes on where something is missing, so that visits do come to an end."""
        number = visit.missing[0] if visit.missing else number
        self.put(visit, visit.doctor, number, GOOD[number][0], None, good=True)

    def put(
        self, visit: ConsultationDetails, who: str, number: int, sent: dict[str, Any], completed: bool | None, *, good: bool
    ) -> None:
        body: dict[str, Any] = {"step_number": number, "step_data": sent}
        body |= {} if completed is None else {"completed": completed}
        reply = self.callers[who].put(f"/consultations/{visit.id}/step", body)
        data = {**visit.data.get(number, {}), **sent}
        missing_fields = number in NEEDED and not data.get(NEEDED[number])
        may = self.acts_in(who, visit) and (who != "nurse" or number <= 3)
        is_open = visit.status == "in_progress"
        ahead = visit.workflow == "standard" and bool(visit.missing) and visit.missing[0] < number
        wrong = not good or (bool(completed) and missing_fields)
        refusals = {status for status, holds in ((403, not may), (409, not is_open or ahead), (400, wrong)) if holds}
        if refusals:
            assert reply.status_code in refusals, reply.content
            return
        assert reply.status_code == 200, reply.content
        visit.data[number] = data
        visit.has_saves_of_doctor |= who != "nurse"
        visit.state[number] = "in_progress" if missing_fields or completed is False else "completed"

    @rule(visit=visits, who=everybody, act=st.sampled_from(["hold", "resume", "resume", "cancel"]))
    def move(self, visit: ConsultationDetails, who: str, act: str) -> None:
        to = {"hold": "on_hold", "resume": "in_progress", "cancel": "cancelled"}[act]
        reply = self.post(who, visit, act)
        if not self.acts_in(who, visit):
            assert reply.status_code == 403
        elif to not in ALLOWED[visit.status]:
            self.refused(reply, visit, to)
        elif act == "cancel" and who == "nurse" and visit.has_saves_of_doctor:
            assert (reply.status_code, "Only a doctor can cancel it." in reply.json()["error"]["message"]) == (409, True)
        else:
            assert (reply.status_code, reply.json()["data"]["consultation"]["status"]) == (200, to)
            visit.status = to

    @rule(visit=visits, who=everybody, to=doctors)
    def hand_over(self, visit: ConsultationDetails, who: str, to: str) -> None:
        reply = self.post(who, visit, "hand-over", {"doctor_id": str(self.people[to].pk)})
        if who == "nurse" or who != visit.doctor:
            assert reply.status_code == 403
        elif visit.status not in ("in_progress", "on_hold"):
            assert reply.status_code == 409
        elif to == visit.doctor:
            assert reply.status_code == 400
        else:
            assert reply.status_code == 200, reply.content
            visit.doctor = to

    @rule(visit=visits, who=everybody, override=st.sampled_from([None, None, "", "The patient had to leave"]))
    def complete(self, visit: ConsultationDetails, who: str, override: str | None) -> None:
        body = {} if override is None else {"override_incomplete": True, "reason": override}
        reply = self.post(who, visit, "complete", body)
        if who == "nurse":
            assert reply.status_code == 403
        elif override == "":
            assert reply.status_code in (400, 403)
        elif who != visit.doctor:
            assert reply.status_code == 403
        elif visit.status != "in_progress":
            self.refused(reply, visit, "completed")
        elif visit.missing and override is None:
            assert (reply.status_code, reply.json()["error"]["details"]["missing_steps"]) == (409, visit.missing)
        else:
            reply_data = reply.json()["data"]["consultation"]
            assert (reply.status_code, reply_data["status"]) == (200, "completed"), reply.content
            assert reply_data["override_reason"] == (override if visit.missing and override else "")
            visit.status, visit.signed = "completed", self.content(visit)

    @rule(visit=visits, who=everybody)
    def add(self, visit: ConsultationDetails, who: str) -> None:
        reply = self.post(who, visit, "addenda", {"text": "Called back; well."})
        if who != visit.doctor:
            assert reply.status_code == 403
        elif "amended" not in ALLOWED[visit.status]:
            self.refused(reply, visit, "amended")
        else:
            assert (reply.status_code, reply.json()["data"]["consultation"]["status"]) == (201, "amended")
            visit.status, visit.addenda = "amended", visit.addenda + 1

    @rule(visit=consumes(visits))
    def forget(self, visit: ConsultationDetails) -> None:
        """Let others come up more often."""

    # What always holds

    def content(self, visit: ConsultationDetails) -> tuple[Any, ...]:
        row = Consultation.objects.get(pk=visit.id)
        saves = StepSave.objects.filter(consultation=row).order_by("pk").values_list("pk", "data", "state", "version")
        return (row.content_sha256, row.completed_at, row.signed_by_id, list(saves))

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        rows = {str(row.pk): row for row in Consultation.objects.all()}
        assert rows.keys() == {visit.id for visit in self.known}
        for visit in self.known:
            row = rows[visit.id]
            assert (row.status, row.doctor_id) == (visit.status, self.people[visit.doctor].pk)
            assert Addendum.objects.filter(consultation=row).count() == visit.addenda
            latest = StepSave.objects.filter(consultation=row).order_by("number", "-version").distinct("number")
            assert {save.number: (save.data, save.state) for save in latest if save.number < 10} == {
                number: (data, visit.state[number]) for number, data in visit.data.items()
            }

    @invariant()
    def what_is_signed_never_changes(self) -> None:
        assert all(self.content(visit) == visit.signed for visit in self.known if visit.signed)

    @invariant()
    def the_appointment_follows(self) -> None:
        rows = {str(row.pk): row.status for row in Appointment.objects.all()}
        for visit in self.known:
            if visit.appointment:
                assert rows[visit.appointment] == APPOINTMENT.get(visit.status, "completed")

    @invariant()
    def the_history_ends_where_each_visit_is(self) -> None:
        last = {str(line.consultation_id): line.to_status for line in ConsultationStatusChange.objects.order_by("id")}
        assert last == {visit.id: visit.status for visit in self.known}


def test_whatever_happens_in_a_visit_answers_as_the_contract_says(staff: dict[str, User]) -> None:
    run_state_machine(Room)
