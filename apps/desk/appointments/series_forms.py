"""The forms of series, and how a plan of a series is written on pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from apps.appointments.models import Series
from apps.appointments.rights import Permission
from apps.appointments.scheduling import recurrence
from apps.appointments.scheduling.recurrence import Frequency, Rhythm
from apps.appointments.services import NewAppointment, NewSeries
from apps.appointments.services.series import BookedSeries
from apps.desk.appointments import labels
from apps.desk.appointments.forms import PREVIEW, BookForm, CancelForm, DayField, DoctorField

_RHYTHM = ("frequency", "interval", "by_weekday", "by_month_day", "by_set_position", "count", "until")
FIELDS = ("appointment_type", "doctor", "slot", "scheduled_time", *_RHYTHM, "duration_minutes", "room", "notes")
USUAL = {"frequency": Frequency.WEEKLY.value, "interval": "1", "count": "4"}
FREQUENCIES = {
    Frequency.DAILY.value: _("daily"),
    Frequency.WEEKLY.value: _("weekly"),
    Frequency.MONTHLY.value: _("monthly"),
}
POSITIONS = [(1, _("first")), (2, _("second")), (3, _("third")), (4, _("fourth")), (5, _("fifth")), (-1, _("last"))]


class SeriesForm(BookForm):
    """The first appointment, how often it repeats, and how many there are."""

    overbook_reason = None  # type: ignore[assignment]  # Django's way to leave a parent's field out
    frequency = forms.ChoiceField(label=_("Repeats"), choices=FREQUENCIES.items())
    interval = forms.IntegerField(
        label=_("Every"),
        min_value=1,
        max_value=max(recurrence.MAX_INTERVAL.values()),
        help_text=_("The number of days, weeks or months between two appointments: 2 means every second one."),
    )
    by_weekday = forms.TypedMultipleChoiceField(
        label=_("On weekdays"),
        coerce=int,
        required=False,
        choices=WEEKDAYS.items(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Choose none for the weekday of the first appointment. In a monthly booking also choose which one of the month."
        ),
    )
    by_month_day = forms.TypedChoiceField(
        label=_("On the day of the month"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", _("as the first appointment")), *((day, str(day)) for day in range(1, 32)), (-1, _("last day"))],
        help_text=_("For a monthly booking. Months without that day are left out."),
    )
    by_set_position = forms.TypedChoiceField(
        label=_("On which weekday of the month"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", "–"), *POSITIONS],
        help_text=_("For a monthly booking with a chosen weekday: the second Tuesday is “second” and “Tuesday”."),
    )
    count = forms.IntegerField(
        label=_("Number of appointments"),
        required=False,
        min_value=recurrence.MIN_OCCURRENCES,
        max_value=recurrence.MAX_OCCURRENCES,
        help_text=_("Includes the first one. Leave blank if you choose a last day."),
    )
    until = DayField(label=_("Last day"), required=False, help_text=_("Instead of the number of appointments."))
    notes = forms.CharField(required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}))

    field_order = FIELDS  # type: ignore[assignment]  # the parent declares a list

    class Meta:
        model = Series
        fields = _RHYTHM

    by: Any  # the user who fills in the form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and not USUAL.keys() & self.data.keys():  # from the form of one appointment, with what was typed there
            self.data = {**self.data.dict(), **USUAL}  # type: ignore[attr-defined]  # a bound form has a QueryDict
        if "doctor" in self.fields and not self.by.has_permission(Permission.APPOINTMENT_ANY):
            cast("DoctorField", self.fields["doctor"]).offer_only(self.by)

    @property
    def previews(self) -> bool:
        return self.is_bound and PREVIEW in self.data

    @property
    def clashes(self) -> list[dict[str, Any]]:
        """Returns the conflicts if no appointment could be booked."""
        return [clash(**one) for one in self.refusal.details.get("clashes", [])] if self.refusal else []

    def new(self, patient_id: UUID) -> NewSeries:
        """Returns the requested series."""
        cleaned = self.cleaned_data
        first = NewAppointment(
            patient_id=patient_id,
            doctor_id=cleaned["doctor"].pk,
            appointment_type=cleaned["appointment_type"],
            scheduled_time=cleaned["scheduled_time"],
            duration_minutes=cleaned["duration_minutes"],
            room_id=cleaned["room"].pk if cleaned["room"] else None,
            notes=cleaned["notes"],
        )
        rhythm = {name: cleaned[name] for name in _RHYTHM} | {
            "frequency": Frequency(cleaned["frequency"]),
            "by_weekday": tuple(cleaned["by_weekday"]),
        }
        return NewSeries(first=first, rhythm=Rhythm(**rhythm))


class CancelRestForm(CancelForm):
    """Asks for the reason, whether the patient is notified, and the first day."""

    since = DayField(label=_("From"), required=False, help_text=_("Leave blank for all future appointments."))

    field_order = ("since", "cause", "reason", "notify_patient")


def rows(plan: BookedSeries) -> list[dict[str, Any]]:
    """Returns the booked and the conflicting appointments, in order of time."""
    free = [{"at": one.scheduled_time, "when": labels.moment(one.scheduled_time)} for one in plan.appointments]
    return sorted([*free, *(clash(**vars(one)) for one in plan.clashes)], key=lambda row: row["at"])


def clash(scheduled_time: datetime, taken: Sequence[str], alternatives: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns a conflicting appointment as text."""
    instead = [labels.moment(one["scheduled_time"]) for one in alternatives]
    return {"at": scheduled_time, "when": labels.moment(scheduled_time), "taken": list(taken), "instead": instead}
