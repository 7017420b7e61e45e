"""The API of series: booking one with its conflicts listed, reading it, cancelling future appointments."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import events, selectors, services
from apps.appointments.api import examples
from apps.appointments.api.serializers import requests, responses
from apps.appointments.rights import Permission
from apps.appointments.scheduling import recurrence
from apps.appointments.scheduling.recurrence import Frequency, Rhythm
from apps.appointments.selectors import SeriesDetails
from apps.appointments.services import NewAppointment, NewSeries
from apps.appointments.services.series import BookedSeries
from apps.patients import events as patient_events
from apps.patients import selectors as patients
from apps.rest.endpoint import Example, endpoint
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import AnyField, InstantOrDayField
from apps.rest.viewsets import HimsViewSet

FREQUENCIES = [one.value for one in Frequency]
_CHANGES = ("in_the_past", "outside_hours", "doctor_time_off", "clocks_skip_time", "clocks_repeat_time")
_ID = "01a20660-c3f0-7b8e-8f11-5a0b6c1d2e3f"


class SeriesBody(requests.BookBody):
    """`scheduled_time` is the first appointment's; the others keep its time of day at the clinic."""

    overbook_reason = None  # type: ignore[assignment]  # DRF's way to leave a parent's field out
    status = None  # type: ignore[assignment]  # DRF's way to leave a parent's field out
    every_weeks = serializers.IntegerField(
        min_value=1, max_value=recurrence.MAX_EVERY_WEEKS, default=1, help_text="The same as frequency weekly with this interval"
    )
    occurrences = serializers.IntegerField(
        min_value=recurrence.MIN_OCCURRENCES, max_value=recurrence.MAX_OCCURRENCES, required=False, help_text="The same as count"
    )
    frequency = serializers.ChoiceField(FREQUENCIES, default=Frequency.WEEKLY.value)
    interval = serializers.IntegerField(
        min_value=1, max_value=365, required=False, help_text="The number of days, weeks or months between two appointments"
    )
    by_weekday = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, max_length=7, help_text="0 is Monday"
    )
    by_month_day = serializers.IntegerField(
        min_value=-1, max_value=31, required=False, help_text="Of a monthly series: 1 to 31, or -1 for the last day"
    )
    by_set_position = serializers.IntegerField(
        min_value=-1, max_value=5, required=False, help_text="Which of the month's weekdays: 1 to 5, or -1 for the last"
    )
    count = serializers.IntegerField(
        min_value=recurrence.MIN_OCCURRENCES,
        max_value=recurrence.MAX_OCCURRENCES,
        required=False,
        help_text="Number of appointments; this or until",
    )
    until = serializers.DateField(required=False, help_text="The last day, included; this or count")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Merges the older names `every_weeks` and `occurrences` with `interval` and `count`: sent together they must agree."""
        attrs = super().validate(attrs)
        sent = self.initial_data
        if "every_weeks" in sent and attrs["frequency"] != Frequency.WEEKLY:
            raise serializers.ValidationError({"every_weeks": "Applies to a weekly series: send interval."})
        for old, new in (("every_weeks", "interval"), ("occurrences", "count")):
            if old in sent and attrs.get(new, attrs.get(old)) != attrs.get(old):
                raise serializers.ValidationError({old: f"Contradicts {new}: send only one of the two."})
        if "occurrences" not in attrs and "count" not in attrs and "until" not in attrs:
            raise serializers.ValidationError({"count": "Send count or until."})
        return attrs


class CancelSeriesBody(requests.CancelBody):
    """The reason, whether the patient is notified, and the first day; without it, all future appointments."""

    def get_fields(self) -> dict[str, AnyField]:
        """Declares `from` here, because it is a Python keyword."""
        return super().get_fields() | {"from": InstantOrDayField(required=False, allow_null=True)}


class AlternativeShape(ResponseSerializer):
    doctor_id = serializers.UUIDField()
    scheduled_time = serializers.DateTimeField()
    duration_minutes = serializers.IntegerField()


class ClashShape(ResponseSerializer):
    """An appointment that was left out."""

    scheduled_time = serializers.DateTimeField()
    taken = serializers.ListField(
        child=serializers.CharField(), help_text="What is already booked at that time: doctor, patient, room"
    )
    alternatives = AlternativeShape(many=True, help_text="Up to three free times")


class SeriesShape(ResponseSerializer):
    """Appointments that were booked together."""

    origin = "series"  # of the SeriesDetails or the BookedSeries

    id = serializers.UUIDField()
    every_weeks = serializers.IntegerField(help_text="0 if the series is not weekly")
    frequency = serializers.ChoiceField(FREQUENCIES)
    interval = serializers.IntegerField()
    by_weekday = serializers.ListField(
        child=serializers.IntegerField(), help_text="0 is Monday; empty: the weekday of the first appointment"
    )
    by_month_day = serializers.IntegerField(allow_null=True)
    by_set_position = serializers.IntegerField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    occurrences = serializers.IntegerField(help_text="The number of requested appointments")
    booked = serializers.IntegerField(help_text="The number of booked appointments, including later cancelled ones")
    appointments = responses.AppointmentShape(many=True, help_text="In order of time")

    @staticmethod
    def get_booked(details: SeriesDetails | BookedSeries) -> int:
        return len(details.appointments)


class BookedSeriesShape(SeriesShape):
    clashes = ClashShape(many=True)


class CancelledSeriesShape(SeriesShape):
    cancelled = serializers.ListField(child=serializers.UUIDField(), help_text="The appointments that this request cancelled")

    @staticmethod
    def get_cancelled(details: SeriesDetails) -> Sequence[UUID]:
        return details.cancelled


_VISIT = (examples.BOOK.reply or {})["data"]["appointment"]
_BOOK = Example(
    request=examples.BOOK_SERIES,
    reply={
        "success": True,
        "data": {
            "series": {
                "id": _ID,
                "every_weeks": 1,
                **{"frequency": "weekly", "interval": 1, "by_weekday": [], "by_month_day": None, "by_set_position": None},
                **{"until": None, "occurrences": 2},
                "booked": 1,
                "appointments": [{**_VISIT, "series_id": _ID}],
                "clashes": [
                    {
                        "scheduled_time": "2025-01-22T10:00:00Z",
                        "taken": ["doctor"],
                        "alternatives": [
                            {"doctor_id": _VISIT["doctor_id"], "scheduled_time": at, "duration_minutes": 15}
                            for at in ("2025-01-22T10:15:00Z", "2025-01-22T10:30:00Z", "2025-01-22T11:00:00Z")
                        ],
                    }
                ],
            }
        },
    },
)


class SeriesViewSet(HimsViewSet):
    """Repeated appointments. A conflicting one is left out and listed, with free times instead; the others are booked."""

    resource = "series"
    tag = "Appointments"

    @endpoint(
        permission=Permission.APPOINTMENT_BOOK,
        request=SeriesBody,
        response=BookedSeriesShape,
        warnings=_CHANGES,
        operation_id="bookSeries",
        example=_BOOK,
        refusals=(services.OtherDoctorsSchedule, services.PatientNotActive, services.NothingBooked, patients.RecordMerged),
        events=(events.AppointmentBooked, events.SeriesBooked, patient_events.CareTeamJoined),
    )
    def create(self, request: Request) -> Response:
        """Book a series of appointments

        Books repeated appointments for one patient and one doctor; doctors book series only for themselves. The series repeats
        daily, weekly or monthly like a recurrence rule of RFC 5545: the 31st of each month skips shorter months, and
        `by_weekday: [1], by_set_position: 2` is the second Tuesday. It has 2 to 52 appointments, and the first must be on a
        day of the series. A time that is taken is left out and listed in `clashes` with free times; the others are booked. If
        none is free, nothing is booked and the reply is a 409.
        """
        cleaned = self.parse()
        rhythm = _rhythm(cleaned)
        done = services.book_series(by=self.by, new=NewSeries(first=NewAppointment(**cleaned), rhythm=rhythm))
        return self.reply(
            done,
            location=f"/v1/appointments/series/{done.series.pk}",
            warnings=[vars(warned) | {"field": "scheduled_time"} for warned in done.warnings],
        )

    @endpoint(permission=Permission.APPOINTMENT_VIEW, response=SeriesShape, operation_id="getSeries")
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a series

        Returns the rule of the series and its appointments in order of time, cancelled ones too. Appointments of charts that
        are closed to the caller are left out; if none remains, the reply is a 404. The audit log records that the series was
        read.
        """
        details = selectors.series(self.by, self.id_in_path())
        self.record_access("series.read", patient_id=details.appointments[0].patient_id, object_id=details.series.pk)
        return self.reply(details)

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=CancelSeriesBody,
        response=CancelledSeriesShape,
        operation_id="cancelSeries",
        refusals=(services.OtherDoctorsSchedule, services.NothingToCancel),
        events=(events.AppointmentUpdated, patient_events.CareTeamLeft),
        example=examples.CANCEL_SERIES,
    )
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel the rest of a series

        Cancels the future appointments of the series that are requested, scheduled or confirmed; with `from`, those from that
        day or instant on. All others stay as they are. `cancelled` lists what this request cancelled, and the patient is
        notified unless `notify_patient` is false. Doctors cancel only their own series.
        """
        cleaned = self.parse()
        done = services.cancel_rest(
            by=self.by,
            series_id=self.id_in_path(),
            reason=cleaned.get("cancellation_reason") or "",
            notify_patient=cleaned.get("notify_patient") is not False,
            since=cleaned.get("from"),
        )
        details = selectors.series(self.by, self.id_in_path())
        return self.reply(replace(details, cancelled=[row.pk for row in done]))


def _rhythm(cleaned: dict[str, Any]) -> Rhythm:
    """Takes the recurrence out of a body. The older names apply if the newer ones are not sent."""
    every_weeks, occurrences = cleaned.pop("every_weeks"), cleaned.pop("occurrences", None)
    return Rhythm(
        frequency=Frequency(cleaned.pop("frequency")),
        interval=cleaned.pop("interval", every_weeks),
        by_weekday=tuple(cleaned.pop("by_weekday", ())),
        by_month_day=cleaned.pop("by_month_day", None),
        by_set_position=cleaned.pop("by_set_position", None),
        count=cleaned.pop("count", occurrences),
        until=cleaned.pop("until", None),
    )
