"""Request bodies of appointments."""

from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from rest_framework import serializers

from apps.appointments import rules
from apps.appointments.models import AppointmentType, WaitPriority
from apps.appointments.models.appointments import STATUSES, Triage
from apps.appointments.scheduling import availability
from apps.rest.serializers import ClockField, IdField, InstantField, InstantOrDayField, StrictSerializer

NOTES_MAX, REASON_MAX = 4_000, 400
_DAY = len("2025-01-15")


def _minutes(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=rules.SHORTEST, max_value=rules.LONGEST, required=False, **more)


def _text(size: int) -> serializers.CharField:
    return serializers.CharField(max_length=size, required=False, allow_blank=True, allow_null=True)


def _day(**more: Any) -> serializers.DateField:
    return serializers.DateField(input_formats=["%Y-%m-%d"], error_messages={"invalid": "Write the day as YYYY-MM-DD."}, **more)


class _Cleared(StrictSerializer):
    """A text for which null means empty."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        texts = {name for name, field in self.fields.items() if isinstance(field, serializers.CharField)}
        return {name: "" if value is None and name in texts else value for name, value in attrs.items()}


class BookBody(_Cleared):
    """A new appointment. Default doctor: the caller, if a doctor; default length: the doctor's usual one for that type."""

    patient_id = IdField()
    doctor_id = IdField(required=False, allow_null=True)
    appointment_type = serializers.ChoiceField(choices=AppointmentType.choices, default=AppointmentType.CONSULTATION.value)
    scheduled_time = InstantField()
    duration_minutes = _minutes(allow_null=True)
    notes = _text(NOTES_MAX)
    room_id = IdField(required=False, allow_null=True)
    overbook_reason = serializers.CharField(
        max_length=REASON_MAX,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Books the appointment in addition to the free slots; administrators and receptionists only",
    )
    status = serializers.ChoiceField(
        choices=[("scheduled", "scheduled"), ("requested", "requested")],
        default="scheduled",
        help_text="A requested appointment reserves no time until it is scheduled",
    )


class ChangeBody(_Cleared):
    """Absent fields stay unchanged. Time, length, doctor and room can change only while the appointment is requested, scheduled
    or confirmed."""

    scheduled_time = InstantField(required=False)
    duration_minutes = _minutes()
    doctor_id = IdField(required=False)
    room_id = IdField(required=False, allow_null=True)
    appointment_type = serializers.ChoiceField(choices=AppointmentType.choices, required=False)
    notes = _text(NOTES_MAX)
    overbook_reason = _text(REASON_MAX)
    triage = serializers.ChoiceField(choices=Triage.choices, required=False)
    triage_reason = _text(REASON_MAX)
    status = serializers.ChoiceField(
        choices=STATUSES,
        required=False,
        help_text="A permitted status change; only a consultation sets in_progress and completed",
    )
    cancellation_reason = _text(REASON_MAX)
    notify_patient = serializers.BooleanField(required=False, default=True)
    early = serializers.BooleanField(
        required=False, default=False, help_text="With status checked_in: allow an appointment of another day than today"
    )


class EarlyBody(StrictSerializer):
    """Confirms an appointment of another day."""

    early = serializers.BooleanField(
        required=False, default=False, help_text="Allow an appointment of another day than today, past or future"
    )


class CancelBody(_Cleared):
    """The reason, and whether the patient is notified; the same two may be sent as query parameters instead."""

    cancellation_reason = _text(REASON_MAX)
    notify_patient = serializers.BooleanField(required=False)


class EndTimeField(ClockField):
    """The end of hours, which may be 24:00. 00:00 begins a day and ends none."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": "^((0[1-9]|1[0-9]|2[0-3]):[0-5][0-9]|00:(0[1-9]|[1-5][0-9])|24:00)$"}

    def to_internal_value(self, value: Any) -> time:
        if value == "24:00":
            return rules.MIDNIGHT
        read = super().to_internal_value(value)
        if read == rules.MIDNIGHT:
            raise serializers.ValidationError("Write midnight at the end of a day as 24:00.")
        return read


class HoursBody(StrictSerializer):
    """Hours on one weekday, in the clinic's time zone."""

    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday")
    starts = ClockField()
    ends = EndTimeField(
        error_messages={"invalid": "Write the time as HH:MM, at most 24:00."},
        help_text="24:00 is the midnight that ends the day",
    )
    room_id = IdField(required=False, allow_null=True)
    valid_from = serializers.DateField(required=False, allow_null=True, input_formats=["%Y-%m-%d"])
    valid_until = serializers.DateField(required=False, allow_null=True, input_formats=["%Y-%m-%d"])


class VisitLengthsField(serializers.DictField):
    """Minutes by type of appointment."""

    child = serializers.IntegerField(min_value=rules.SHORTEST, max_value=rules.LONGEST)
    json_schema: ClassVar[dict[str, Any]] = {
        "properties": {
            kind: {"type": "integer", "minimum": rules.SHORTEST, "maximum": rules.LONGEST} for kind in AppointmentType.values
        },
        "additionalProperties": False,
    }

    def to_internal_value(self, data: Any) -> dict[str, int]:
        lengths: dict[str, int] = super().to_internal_value(data)
        unknown = [kind for kind in lengths if kind not in AppointmentType.values]
        if unknown:
            raise serializers.ValidationError(
                f"Unknown type {unknown[0][:40]!r}. Known types: {', '.join(AppointmentType.values)}."
            )
        return lengths


class ScheduleBody(StrictSerializer):
    """A doctor's whole week, in place of the previous one."""

    slot_minutes = _minutes(default=rules.SLOT_MINUTES)
    overbook_per_day = serializers.IntegerField(min_value=0, max_value=50, required=False, default=rules.OVERBOOK_PER_DAY)
    visit_lengths = VisitLengthsField(required=False, default=dict)
    hours = HoursBody(many=True, max_length=100)  # type: ignore[call-arg]  # DRF's list takes it


class TimeOffBody(_Cleared):
    """The time in which the doctor is away. Whole days: `ends_at` as a day is the last day away."""

    starts_at = InstantOrDayField()
    ends_at = InstantOrDayField()
    reason = _text(200)

    def to_internal_value(self, data: Any) -> Any:
        read = super().to_internal_value(data)
        read["ends_at"] = end_of(data.get("ends_at"), read["ends_at"])
        return read


class WaitBody(_Cleared):
    """The requested doctor and times. Days and times of day are the clinic's; both ends are included."""

    patient_id = IdField()
    doctor_id = IdField(required=False, allow_null=True, help_text="Without: any doctor")
    appointment_type = serializers.ChoiceField(choices=AppointmentType.choices, default=AppointmentType.CONSULTATION.value)
    duration_minutes = _minutes(allow_null=True, help_text="Without: the doctor's usual length of this type")
    date_from = _day(required=False, allow_null=True, help_text="Without: today")
    date_to = _day()
    time_from = ClockField(required=False, allow_null=True, help_text="With time_to: the whole appointment is between the two")
    time_to = ClockField(required=False, allow_null=True)
    priority = serializers.ChoiceField(choices=WaitPriority.choices, default=WaitPriority.MEDIUM.value)
    note = _text(REASON_MAX)


class AnswerBody(StrictSerializer):
    """The offer; without it, the open one."""

    offer_id = IdField(required=False, allow_null=True)


def end_of(sent: Any, read: datetime) -> datetime:
    """Returns the end of a range given by its last day or an instant: the beginning of the next day, or the instant."""
    return _next_day(read) if isinstance(sent, str) and len(sent) == _DAY else read


def _next_day(midnight: datetime) -> datetime:
    zone = availability.clinic_zone()
    return rules.instant(midnight.astimezone(zone).date() + timedelta(days=1), datetime.min.time(), zone)
