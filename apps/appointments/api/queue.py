"""The API of the queue: the waiting patients, since when they wait, and the estimated wait."""

from functools import partial
from typing import Any

from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import services
from apps.appointments.api.serializers import responses
from apps.appointments.models import Appointment, AppointmentType
from apps.appointments.models.appointments import Triage
from apps.appointments.queue import board
from apps.appointments.queue.board import Summary
from apps.appointments.rights import Permission
from apps.patients.api.serializers.responses import ColleagueShape, PatientRow
from apps.patients.rights import Permission as PatientPermission
from apps.rest.endpoint import Example, endpoint
from apps.rest.filters import IdFilter
from apps.rest.paging import Page
from apps.rest.response_serializers import ResponseSerializer, protected
from apps.rest.viewsets import HimsViewSet

_MINUTES = {"type": "integer", "minimum": 0}
_SUMMARY: dict[str, Any] = {
    "type": "object",
    "description": "The whole requested queue, independent of the page",
    "properties": {
        "waiting": {"type": "integer", "description": "Checked in today and not called yet"},
        "in_progress": {"type": "integer", "description": "Checked in today and with the doctor"},
        "left_over": {"type": "integer", "description": "Checked in on an earlier day and never resolved; counted up to 10,000"},
        "emergency": {"type": "integer"},
        "urgent": {"type": "integer"},
        "longest_wait_minutes": _MINUTES | {"nullable": True, "description": "Null if no patient is waiting"},
        "average_wait_minutes_today": {
            "type": "number",
            "minimum": 0,
            "nullable": True,
            "description": "From check-in to start, for patients who checked in and started today; null without any",
        },
        "called_today": {"type": "integer", "description": "The number of patients in that average"},
        "alerts": {"type": "integer", "description": "Patients here with an urgent alert that no doctor has acknowledged"},
        "ready": {"type": "integer", "description": "With a nurse and ready for the doctor"},
    },
    "required": [
        "waiting",
        "in_progress",
        "left_over",
        "emergency",
        "urgent",
        "longest_wait_minutes",
        "average_wait_minutes_today",
        "called_today",
        "alerts",
        "ready",
    ],
}


class QueueFilter(FilterSet):
    doctor_id = IdFilter(help_text="Patients waiting for this doctor; doctors see only their own queue")
    room_id = IdFilter(help_text="Patients waiting for this room")
    triage = ChoiceFilter(choices=Triage.choices, help_text="Patients with this urgency")

    class Meta:
        model = Appointment
        fields: list[str] = []


_note = partial(protected, permission=Permission.APPOINTMENT_SEE_NOTES)
_HIDDEN = "Hidden from managers"


class QueuePlaceRow(ResponseSerializer):
    """A waiting patient."""

    parts = {"patient_name": PatientPermission.PATIENT_VIEW, "mrn": PatientPermission.PATIENT_VIEW}

    expandable = ("patient", "doctor")

    position = serializers.IntegerField(help_text="From 1, in the requested queue")
    token = serializers.IntegerField(
        source="appointment.queue_number", allow_null=True, help_text="The number of the day, assigned at check-in; never changes"
    )
    appointment_id = serializers.UUIDField(source="appointment.pk")
    patient_id = serializers.UUIDField(source="appointment.patient_id")
    patient_name = serializers.CharField(source="appointment.patient.full_name")
    mrn = serializers.CharField(source="appointment.patient.mrn")
    doctor_id = serializers.UUIDField(
        source="appointment.attending.pk", help_text="The doctor of the consultation: the booked one, unless it was handed over"
    )
    doctor_name = serializers.CharField(source="appointment.attending.full_name")
    room_id = serializers.UUIDField(source="appointment.room_id", allow_null=True)
    appointment_type = serializers.ChoiceField(source="appointment.appointment_type", choices=AppointmentType.choices)
    status = serializers.ChoiceField(
        source="appointment.status",
        choices=[("checked_in", "checked in"), ("in_progress", "in progress")],
        help_text="in_progress: with a nurse, and marked by alert_since or ready_since",
    )
    triage = serializers.ChoiceField(source="appointment.triage", choices=Triage.choices)
    triage_reason = _note(
        serializers.CharField(source="appointment.triage_reason", required=False, allow_blank=True, help_text=_HIDDEN)
    )
    scheduled_time = serializers.DateTimeField(source="appointment.scheduled_time")
    checked_in_at = serializers.DateTimeField(source="appointment.checked_in_at", allow_null=True)
    waiting_minutes = serializers.IntegerField(help_text="Since check-in, whole minutes")
    estimated_wait_minutes = serializers.IntegerField(
        allow_null=True,
        help_text="From now, rounded up; null if the doctor has no time left today or the patient checked in on an earlier day",
    )
    estimated_start = serializers.DateTimeField(allow_null=True)
    alert_since = _note(
        serializers.DateTimeField(
            source="appointment.alert_since",
            required=False,
            allow_null=True,
            help_text="Since when a vital sign needs the doctor; null once a doctor acknowledges it or it is normal. " + _HIDDEN,
        )
    )
    ready_since = serializers.DateTimeField(
        source="appointment.ready_since", allow_null=True, help_text="Since when a nurse has handed the patient to the doctor"
    )
    left_over = serializers.BooleanField(help_text="Checked in on an earlier day and never resolved: after all others")
    patient = PatientRow(required=False, allow_null=True, help_text="With `expand=patient`")
    doctor = ColleagueShape(required=False, allow_null=True, help_text="With `expand=doctor`")


_EXAMPLE = Example(
    reply={
        "success": True,
        "data": {
            "queue": [
                {
                    "position": 1,
                    "token": 7,
                    "appointment_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb",
                    "patient_id": "7d3b1b1e-2f40-5d0c-8a3d-0c5c9d1d2a44",
                    "patient_name": "John Doe",
                    "mrn": "MRN001",
                    "doctor_id": "3f0a9a3c-7c1e-5e11-9c4e-a20c02d1b0a1",
                    "doctor_name": "Sarah Smith",
                    "room_id": None,
                    "appointment_type": "consultation",
                    "status": "checked_in",
                    "triage": "urgent",
                    "triage_reason": "Short of breath",
                    "scheduled_time": "2025-01-15T18:00:00Z",
                    "checked_in_at": "2025-01-15T17:52:00Z",
                    "waiting_minutes": 16,
                    "estimated_wait_minutes": 5,
                    "estimated_start": "2025-01-15T18:13:00Z",
                    "alert_since": None,
                    "ready_since": None,
                    "left_over": False,
                }
            ],
            "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
            "summary": {
                "waiting": 1,
                "in_progress": 1,
                "left_over": 0,
                "emergency": 0,
                "urgent": 1,
                "longest_wait_minutes": 16,
                "average_wait_minutes_today": 11.5,
                "called_today": 14,
                "alerts": 0,
                "ready": 0,
            },
        },
    }
)


class QueueViewSet(HimsViewSet):
    """The queue: emergencies first, then urgent patients, then by time of check-in."""

    resource = "queue"
    plural = "queue"
    tag = "Appointments"
    expands = responses.EXPANSIONS
    extra = {"summary": _SUMMARY}

    @endpoint(
        permission=Permission.QUEUE_VIEW,
        query=QueueFilter,
        response=QueuePlaceRow,
        operation_id="getQueue",
        example=_EXAMPLE,
        refusals=(services.OtherDoctorsSchedule,),
    )
    def list(self, request: Request) -> Response:
        """List the waiting patients

        Returns the patients who are checked in, in the order in which they are called: emergencies, then urgent patients, then
        by time of check-in. Each row has the estimated wait and start, and marks for an urgent alert and for a consultation
        that a nurse has prepared. `summary` counts the whole queue, whatever the page. Doctors see only their own queue:
        another `doctor_id` gets a 403. The audit log records the patients shown.
        """
        query = self.validated_query()
        filters = {name: value or None for name, value in query.items()}
        queue = board.current(by=self.by, offset=self.window.offset, limit=self.window.limit, **filters)
        response = self.page(Page(queue.entries, total=queue.total), summary=_numbers(queue.summary))
        self.record_access("queue.listed", query=self.sent_query(), shown=self.shown)
        return response


def _numbers(summary: Summary) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in _SUMMARY["properties"]}
