"""The forms of series, and how a plan of one is told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms

from apps.access.permissions import Permission
from apps.appointments import recurrence
from apps.appointments.admin import words
from apps.appointments.admin.forms import PREVIEW, BookForm, CancelForm, DayInput, DoctorField
from apps.appointments.models import Series
from apps.appointments.recurrence import Rhythm
from apps.appointments.services import NewSeries, NewVisit
from apps.appointments.services.series import BookedSeries

_WHEN = ("appointment_type", "doctor", "slot", "scheduled_time", "every_weeks", "occurrences")
ASKED = (*_WHEN, "duration_minutes", "room", "notes")
USUAL = {"every_weeks": "1", "occurrences": "4"}


class SeriesForm(BookForm):
    """The first visit, how often and how many."""

    overbook_reason = None  # type: ignore[assignment]  # Django's way to leave a parent's field out
    every_weeks = forms.IntegerField(label="Every … weeks", min_value=1, max_value=recurrence.EVERY_MOST)
    occurrences = forms.IntegerField(
        label="Visits in all", min_value=recurrence.FEWEST, max_value=recurrence.MOST, help_text="The first one counts too."
    )
    notes = forms.CharField(required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 3}))

    field_order = ASKED  # type: ignore[assignment]

    class Meta:
        model = Series
        fields = ("every_weeks", "occurrences")

    by: Any  # whoever fills it in

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and not USUAL.keys() & self.data.keys():  # from the form of one visit, with what was typed there
            self.data = {**self.data.dict(), **USUAL}  # type: ignore[attr-defined]
        if "doctor" in self.fields and not self.by.may(Permission.APPOINTMENT_ANY):
            cast("DoctorField", self.fields["doctor"]).offer_only(self.by)

    @property
    def previews(self) -> bool:
        return self.is_bound and PREVIEW in self.data

    @property
    def clashes(self) -> list[dict[str, Any]]:
        """Where not one visit could be booked: why, one by one."""
        return [clash(**one) for one in self.refusal.details.get("clashes", [])] if self.refusal else []

    def new(self, patient_id: UUID) -> NewSeries:
        """What is asked for."""
        said = self.cleaned_data
        visit = NewVisit(
            patient_id=patient_id,
            doctor_id=said["doctor"].pk,
            appointment_type=said["appointment_type"],
            scheduled_time=said["scheduled_time"],
            duration_minutes=said["duration_minutes"],
            room_id=said["room"].pk if said["room"] else None,
            notes=said["notes"],
        )
        return NewSeries(visit=visit, rhythm=Rhythm(interval=said["every_weeks"], count=said["occurrences"]))


class CancelRestForm(CancelForm):
    """Why, whether the patient is told, and from when on."""

    since = forms.DateField(
        label="From", required=False, widget=DayInput, help_text="Leave empty for all that are still to come."
    )

    field_order = ("since", "reason", "notify_patient")


def rows(plan: BookedSeries) -> list[dict[str, Any]]:
    """What is booked and what is not, in order of time."""
    free = [{"at": one.scheduled_time, "when": words.moment(one.scheduled_time)} for one in plan.appointments]
    return sorted([*free, *(clash(**vars(one)) for one in plan.clashes)], key=lambda row: row["at"])


def clash(scheduled_time: datetime, taken: Sequence[str], alternatives: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A visit that finds its time taken, in words."""
    instead = [words.moment(one["scheduled_time"]) for one in alternatives]
    return {"at": scheduled_time, "when": words.moment(scheduled_time), "taken": list(taken), "instead": instead}
