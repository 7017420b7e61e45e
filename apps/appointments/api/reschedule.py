"""The API of bulk rescheduling for an absent doctor: plan, carry out, read, undo."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import events, selectors, services
from apps.appointments.api import examples
from apps.appointments.api.serializers import requests
from apps.appointments.models import BulkReschedule, RescheduledAppointment
from apps.appointments.rights import Permission
from apps.appointments.scheduling.reschedule_plan import Proposal, UnplacedReason
from apps.appointments.scheduling.services import reschedule
from apps.appointments.scheduling.services.reschedule import ReschedulePlan
from apps.appointments.services import DoctorAbsence
from apps.patients import events as patient_events
from apps.rest.endpoint import Example, endpoint
from apps.rest.response_serializers import ResponseSerializer, optional
from apps.rest.serializers import IdField, InstantOrDayField, StrictSerializer
from apps.rest.viewsets import HimsViewSet

MOVE_RESULTS = ["planned", "moved", "unplaced", "put_back", "kept"]
MOVE_REASONS = [because.value for because in UnplacedReason]
_DOCTOR, _OTHER = "3f0a9a3c-7c1e-5e11-9c4e-a20c02d1b0a1", "5b8d2f10-1d52-5a34-8c0f-6f1e2d3c4b5a"


class MoveBody(StrictSerializer):
    """Whole days: `date_to` as a day is the last day."""

    date_from = InstantOrDayField()
    date_to = InstantOrDayField()
    to_doctor_id = IdField(
        required=False,
        allow_null=True,
        help_text="The new doctor of the appointments; without it they move to later times of the same doctor",
    )
    reason = serializers.CharField(max_length=requests.REASON_MAX)
    dry_run = serializers.BooleanField(default=True, help_text="true returns the plan and changes nothing")
    notify_patient = serializers.BooleanField(default=True)
    plan = serializers.RegexField(
        r"\A[0-9a-f]{64}\Z",
        required=False,
        help_text="`plan` of the dry run that you reviewed: any other plan is refused (409)",
    )

    def to_internal_value(self, data: Any) -> Any:
        read = super().to_internal_value(data)
        read["date_to"] = requests.end_of(data["date_to"], read["date_to"])
        return read


@dataclass(frozen=True, kw_only=True)
class PlannedMove(DoctorAbsence):
    """A plan in the form of a BulkReschedule: it has no id, and nothing has been moved."""

    reason: str
    id: None = None
    moved_at: None = None
    moved_by_id: None = None
    undone_at: None = None
    undone_by_id: None = None


@dataclass(frozen=True)
class MoveDetails:
    """A move with its appointments in order of their previous times. `plan` is None where a stored move is read."""

    move: BulkReschedule | PlannedMove
    visits: Sequence[Proposal | RescheduledAppointment]
    plan: ReschedulePlan | None = None


class PlaceShape(ResponseSerializer):
    doctor_id = serializers.UUIDField()
    scheduled_time = serializers.DateTimeField()
    room_id = serializers.UUIDField(allow_null=True)


class MovedVisitShape(ResponseSerializer):
    """One appointment: its previous place, its new place, and the result."""

    reads = Permission.APPOINTMENT_VIEW

    appointment_id = serializers.UUIDField(source="appointment.pk")
    patient_id = serializers.UUIDField(source="appointment.patient_id")
    duration_minutes = serializers.IntegerField(source="appointment.duration_minutes")
    result = serializers.ChoiceField(choices=MOVE_RESULTS, help_text="unplaced: not moved; kept: not moved back by the undo")
    because = serializers.ChoiceField(
        choices=MOVE_REASONS, allow_null=True, help_text="Of appointments that are unplaced or kept"
    )
    before = PlaceShape()
    after = PlaceShape(allow_null=True)

    @staticmethod
    def get_because(row: Proposal | RescheduledAppointment) -> str | None:
        return row.because or None


class MoveShape(ResponseSerializer):
    """An absent doctor's appointments, moved together, or the plan for it."""

    origin = "move"  # of the MoveDetails

    id = serializers.UUIDField(allow_null=True, help_text="null for a plan")
    dry_run = serializers.BooleanField()
    doctor_id = serializers.UUIDField()
    to_doctor_id = serializers.UUIDField(allow_null=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField()
    moved_at = serializers.DateTimeField(allow_null=True)
    moved_by = serializers.UUIDField(source="moved_by_id", allow_null=True)
    undo_until = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    undone_by = serializers.UUIDField(source="undone_by_id", allow_null=True)
    visits = MovedVisitShape(many=True)
    not_shown = optional(
        serializers.IntegerField(
            required=False, help_text="Always 0: appointments of charts that are closed to you are neither moved nor counted"
        )
    )
    plan = optional(
        serializers.CharField(
            required=False, help_text="Of a dry run: send it back with `dry_run` false to carry out exactly this plan"
        )
    )

    @staticmethod
    def get_dry_run(details: MoveDetails) -> bool:
        return isinstance(details.move, PlannedMove)

    @staticmethod
    def get_undo_until(details: MoveDetails) -> datetime | None:
        move = details.move
        return None if isinstance(move, PlannedMove) or move.undone_at else reschedule.undo_until(move)

    @staticmethod
    def get_not_shown(details: MoveDetails) -> int | None:
        return 0 if details.plan else None

    @staticmethod
    def get_plan(details: MoveDetails) -> str | None:
        return details.plan.plan_hash if details.plan and isinstance(details.move, PlannedMove) else None


_PLAN = Example(
    path={"id": "doctor_001"},
    request=examples.MOVE,
    reply={
        "success": True,
        "data": {
            "move": {
                "id": None,
                "dry_run": True,
                "doctor_id": _DOCTOR,
                "to_doctor_id": _OTHER,
                "starts_at": "2025-01-15T08:00:00Z",
                "ends_at": "2025-01-17T08:00:00Z",
                "reason": "Ill",
                "visits": [
                    {
                        "appointment_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb",
                        "patient_id": "7d3b1b1e-2f40-5d0c-8a3d-0c5c9d1d2a44",
                        "duration_minutes": 15,
                        "result": "planned",
                        "because": None,
                        "before": {"doctor_id": _DOCTOR, "scheduled_time": "2025-01-15T18:00:00Z", "room_id": None},
                        "after": {"doctor_id": _OTHER, "scheduled_time": "2025-01-15T18:00:00Z", "room_id": None},
                    }
                ],
                "not_shown": 0,
                "plan": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
                "moved_at": None,
                "moved_by": None,
                "undo_until": None,
                "undone_at": None,
                "undone_by": None,
            }
        },
    },
)


class BulkRescheduleViewSet(HimsViewSet):
    """Moves all appointments of an absent doctor that can still be moved: planned first, undone within ten minutes."""

    resource = "move"
    tag = "Appointments"

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        request=MoveBody,
        response=MoveShape,
        operation_id="moveAppointments",
        example=_PLAN,
        refusals=(services.OtherDoctorsSchedule, services.NothingToMove, services.PlanChanged, services.NoPlaceFound),
        events=(
            events.AppointmentsRescheduled,
            events.AppointmentUpdated,
            patient_events.CareTeamJoined,
            patient_events.CareTeamLeft,
        ),
    )
    def move(self, request: Request, pk: str) -> Response:
        """Move the appointments of an absent doctor

        Plans where the doctor's movable appointments of some days go, or moves them. `dry_run` is true by default: the reply
        shows the plan, and nothing changes. Send the same body with `dry_run: false` and the `plan` of the reply to carry out
        exactly that plan; any other plan is refused. Without `to_doctor_id` the appointments move to later free times of the
        same doctor. Appointments without a free place stay and are listed as `unplaced`. Doctors move only their own
        appointments.
        """
        cleaned, doctor_id = self.parse(), self.id_in_path()
        absence = DoctorAbsence(
            doctor_id=doctor_id,
            starts_at=cleaned["date_from"],
            ends_at=cleaned["date_to"],
            to_doctor_id=cleaned.get("to_doctor_id"),
        )
        if cleaned["dry_run"]:
            plan = services.plan_bulk_reschedule(by=self.by, absence=absence)
            self.record_access("schedule.move_planned", object_id=doctor_id, shown=len(plan.proposals))
            planned = PlannedMove(**vars(absence), reason=cleaned["reason"])
            return self.reply(MoveDetails(planned, plan.in_order, plan))
        options = {"reason": cleaned["reason"], "notify_patient": cleaned["notify_patient"]}
        done = services.bulk_reschedule(by=self.by, absence=absence, agreed=cleaned.get("plan"), **options)
        return self.reply(MoveDetails(done.move, done.plan.in_order, done.plan))

    @endpoint(permission=Permission.SCHEDULE_KEEP, response=MoveShape, operation_id="getMove")
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a bulk reschedule

        Returns the appointments that were moved together, with their places before and after and the results of an undo.
        `undo_until` says how long it can be undone. Appointments of charts that are closed to the caller are left out.
        """
        move = selectors.bulk_reschedule(self.by, self.id_in_path())
        self.record_access("schedule.move_read", object_id=move.pk)
        return self._respond(move)

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        response=MoveShape,
        operation_id="undoMove",
        refusals=(services.OtherDoctorsSchedule, services.AlreadyUndone, services.TooLateToUndo),
        events=(
            events.BulkRescheduleUndone,
            events.AppointmentUpdated,
            patient_events.CareTeamJoined,
            patient_events.CareTeamLeft,
        ),
    )
    def undo(self, request: Request, pk: str) -> Response:
        """Undo a bulk reschedule

        Moves the appointments back to their previous places, within the time that `undo_until` of the move shows. An
        appointment whose previous place is taken, or that has changed since, stays where it is: its `result` is `kept`. A
        second undo and a late one are refused.
        """
        return self._respond(services.undo_bulk_reschedule(by=self.by, move_id=self.id_in_path()))

    def _respond(self, move: BulkReschedule) -> Response:
        return self.reply(MoveDetails(move, list(selectors.rescheduled_appointments(self.by, move))))
