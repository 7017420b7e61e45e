"""Serializers of appointments, weeks and free times, within the reader's permissions."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from rest_framework import serializers

from apps.accounts.rights import Permission as AccountPermission
from apps.appointments import rules
from apps.appointments.models import AppointmentType, WorkingHours
from apps.appointments.models.appointments import STATUSES, Triage
from apps.appointments.rights import Permission
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.services import BookingWarning
from apps.patients.api.serializers.responses import ColleagueShape, PatientRow, colleagues, rows_by_id
from apps.patients.rights import Permission as PatientPermission
from apps.rest.response_serializers import ResponseSerializer, protected
from apps.rest.sparse_fields import Expansion

# The notes of an appointment. Readers of reduced rows see only its time and people.
_note = partial(protected, permission=Permission.APPOINTMENT_SEE_NOTES)


class AppointmentRow(ResponseSerializer):
    """An appointment in a list."""

    expandable = ("patient", "doctor")

    id = serializers.UUIDField()
    patient_id = serializers.UUIDField()
    doctor_id = serializers.UUIDField(help_text="A staff member's id")
    room_id = serializers.UUIDField(allow_null=True)
    series_id = serializers.UUIDField(allow_null=True)
    appointment_type = serializers.ChoiceField(choices=AppointmentType.choices)
    status = serializers.ChoiceField(choices=STATUSES)
    scheduled_time = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    duration_minutes = serializers.IntegerField()
    notes = _note(
        serializers.CharField(required=False, allow_blank=True, help_text="Hidden from billing, like the reasons and the triage")
    )
    overbook_reason = _note(serializers.CharField(required=False, allow_blank=True))
    triage = _note(serializers.ChoiceField(choices=Triage.choices, required=False))
    queue_number = serializers.IntegerField(allow_null=True, help_text="The token of the day, assigned at check-in")
    checked_in_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancellation_reason = _note(serializers.CharField(required=False, allow_blank=True))
    patient = PatientRow(required=False, allow_null=True, help_text="With `expand=patient`")
    doctor = ColleagueShape(required=False, allow_null=True, help_text="With `expand=doctor`")


class AppointmentShape(AppointmentRow):
    """An appointment in full."""

    triage_reason = _note(serializers.CharField(required=False, allow_blank=True))
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SlotShape(ResponseSerializer):
    """A free time. The local date and time are those of the clinic."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    local_date = serializers.DateField()
    local_time = serializers.RegexField(r"^\d\d:\d\d$")
    duration_minutes = serializers.IntegerField()

    @staticmethod
    def get_local_date(span: TimeSpan) -> date:
        return span.start.astimezone(availability.clinic_zone()).date()

    @staticmethod
    def get_local_time(span: TimeSpan) -> str:
        return f"{span.start.astimezone(availability.clinic_zone()):%H:%M}"

    @staticmethod
    def get_duration_minutes(span: TimeSpan) -> int:
        return int((span.end - span.start).total_seconds() // 60)


class SlotsShape(ResponseSerializer):
    """Free times in order, without overlaps."""

    slots = SlotShape(many=True)


class RoomShape(ResponseSerializer):
    """A room in use."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    location = serializers.CharField(allow_blank=True)


class HoursShape(ResponseSerializer):
    """Published hours on one weekday, in the clinic's time zone."""

    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday")
    starts = serializers.RegexField(r"^\d\d:\d\d$")
    ends = serializers.RegexField(r"^\d\d:\d\d$")
    room_id = serializers.UUIDField(allow_null=True)
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True, help_text="The last day; null: no end")

    @staticmethod
    def get_starts(hours: WorkingHours) -> str:
        return f"{hours.starts:%H:%M}"

    @staticmethod
    def get_ends(hours: WorkingHours) -> str:
        return rules.clock_time(hours.ends, is_end=True)


class ScheduleShape(ResponseSerializer):
    """A doctor's published week."""

    doctor_id = serializers.UUIDField()
    slot_minutes = serializers.IntegerField(source="schedule.slot_minutes")
    overbook_per_day = serializers.IntegerField(
        source="schedule.overbook_per_day", help_text="Appointments a day that may be booked in addition to the free slots"
    )
    visit_lengths = serializers.DictField(
        source="lengths", child=serializers.IntegerField(), help_text="Minutes by type; else one slot"
    )
    hours = HoursShape(many=True)


class TimeOffShape(ResponseSerializer):
    """A doctor is away."""

    id = serializers.UUIDField()
    doctor_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = protected(
        serializers.CharField(required=False, allow_blank=True, help_text="Only for users who plan schedules"),
        permission=Permission.SCHEDULE_KEEP,
    )


PATIENT = Expansion(of="patient_id", permission=PatientPermission.PATIENT_VIEW, load=rows_by_id)
DOCTOR = Expansion(of="doctor_id", permission=AccountPermission.DOCTOR_VIEW, load=colleagues)
EXPANSIONS = {"patient": PATIENT, "doctor": DOCTOR}


def visits_affected(count: int, field: str, where: str) -> list[Mapping[str, Any]]:
    """Returns the warning that booked appointments are affected; empty without any. `visits` is the name of `count` since
    0.2.0."""
    if not count:
        return []
    message = f"{count} booked appointments {where}. Move them, or view them."
    warning = {"code": "visits_affected", "message": message, "count": count, "visits": count}
    return [warning | ({"field": field} if field else {})]


def warnings(cautions: Sequence[BookingWarning]) -> list[Mapping[str, Any]]:
    """Returns the warnings in the form that is next to `data`."""
    return [{"code": one.code, "message": one.message, "field": "scheduled_time"} for one in cautions]
