"""Serializers of appointments, weeks and free times, within the reader's permissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from apps.access.actor import Actor
from apps.accounts.rights import Permission as AccountPermission
from apps.appointments import rules
from apps.appointments.models import Appointment, AppointmentType, Room, TimeOff
from apps.appointments.models.appointments import STATUSES, Triage
from apps.appointments.queries import prepared
from apps.appointments.rights import Permission
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.selectors import Week
from apps.appointments.services import BookingWarning
from apps.patients.api.serializers.responses import ColleagueShape, PatientRow, colleagues, rows_by_id
from apps.patients.rights import Permission as PatientPermission
from apps.rest.sparse_fields import Expansion

# The notes of an appointment; readers of reduced rows see only its time and people.
NOTED = ("notes", "overbook_reason", "triage", "triage_reason", "cancellation_reason")
_ALONE = ("triage_reason", "created_at", "updated_at")  # of one appointment, not of a list's rows


class AppointmentRow(serializers.Serializer):
    """An appointment in a list."""

    prepared = Permission.APPOINTMENT_VIEW

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
    notes = serializers.CharField(
        required=False, allow_blank=True, help_text="Hidden from billing, like the reasons and the triage"
    )
    overbook_reason = serializers.CharField(required=False, allow_blank=True)
    triage = serializers.ChoiceField(choices=Triage.choices, required=False)
    queue_number = serializers.IntegerField(allow_null=True, help_text="The token of the day, assigned at check-in")
    checked_in_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancellation_reason = serializers.CharField(required=False, allow_blank=True)
    patient = PatientRow(required=False, allow_null=True, help_text="With `expand=patient`")
    doctor = ColleagueShape(required=False, allow_null=True, help_text="With `expand=doctor`")


class AppointmentShape(AppointmentRow):
    """An appointment in full."""

    triage_reason = serializers.CharField(required=False, allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SlotShape(serializers.Serializer):
    """A free time. The local date and time are those of the clinic."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    local_date = serializers.DateField()
    local_time = serializers.RegexField(r"^\d\d:\d\d$")
    duration_minutes = serializers.IntegerField()


class SlotsShape(serializers.Serializer):
    """Free times in order, without overlaps."""

    slots = SlotShape(many=True)


class RoomShape(serializers.Serializer):
    """A room in use."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    location = serializers.CharField(allow_blank=True)


class HoursShape(serializers.Serializer):
    """Published hours on one weekday, in the clinic's time zone."""

    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday")
    starts = serializers.RegexField(r"^\d\d:\d\d$")
    ends = serializers.RegexField(r"^\d\d:\d\d$")
    room_id = serializers.UUIDField(allow_null=True)
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True, help_text="The last day; null: no end")


class ScheduleShape(serializers.Serializer):
    """A doctor's published week."""

    doctor_id = serializers.UUIDField()
    slot_minutes = serializers.IntegerField()
    overbook_per_day = serializers.IntegerField(help_text="Appointments a day that may be booked in addition to the free slots")
    visit_lengths = serializers.DictField(child=serializers.IntegerField(), help_text="Minutes by type; else one slot")
    hours = HoursShape(many=True)


class TimeOffShape(serializers.Serializer):
    """A doctor is away."""

    id = serializers.UUIDField()
    doctor_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(required=False, allow_blank=True, help_text="Only for users who plan schedules")


PATIENT = Expansion(of="patient_id", permission=PatientPermission.PATIENT_VIEW, load=rows_by_id)
DOCTOR = Expansion(of="doctor_id", permission=AccountPermission.DOCTOR_VIEW, load=colleagues)


def appointment(row: Appointment, reader: Actor) -> dict[str, Any]:
    """Returns an appointment in full, within the reader's permissions."""
    return to_row({name: getattr(row, name) for name in (*prepared.COLUMNS, *_ALONE)}, reader)


def to_row(row: dict[str, Any], reader: Actor) -> dict[str, Any]:
    """Returns an appointment of a list, which is plain values already."""
    if reader.has_permission(Permission.APPOINTMENT_SEE_NOTES):
        return row
    return {name: value for name, value in row.items() if name not in NOTED}


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


def slots(free: Sequence[TimeSpan]) -> list[dict[str, Any]]:
    """Returns free times, also in the clinic's time zone."""
    zone = availability.clinic_zone()
    result = []
    for span in free:
        local = span.start.astimezone(zone)
        minutes = int((span.end - span.start).total_seconds() // 60)
        result.append(
            {
                "start": span.start,
                "end": span.end,
                "local_date": local.date(),
                "local_time": f"{local:%H:%M}",
                "duration_minutes": minutes,
            }
        )
    return result


def room(row: Room) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "location": row.location}


def schedule(week: Week) -> dict[str, Any]:
    """Returns a doctor's week."""
    return {
        "doctor_id": week.doctor_id,
        "slot_minutes": week.schedule.slot_minutes,
        "overbook_per_day": week.schedule.overbook_per_day,
        "visit_lengths": week.lengths,
        "hours": [
            {
                "weekday": one.weekday,
                "starts": f"{one.starts:%H:%M}",
                "ends": rules.clock_time(one.ends, is_end=True),
                "room_id": one.room_id,
                "valid_from": one.valid_from,
                "valid_until": one.valid_until,
            }
            for one in week.hours
        ],
    }


def time_off(row: TimeOff, reader: Actor) -> dict[str, Any]:
    """Returns when a doctor is away; the reason only for users who plan schedules."""
    shown = {"id": row.pk, "doctor_id": row.doctor_id, "starts_at": row.starts_at, "ends_at": row.ends_at}
    return shown | ({"reason": row.reason} if reader.has_permission(Permission.SCHEDULE_KEEP) else {})
