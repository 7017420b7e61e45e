"""The form of a move, and how visits are told that go from one place to another."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.urls import reverse

from apps.access.permissions import Permission
from apps.accounts.models import User
from apps.appointments.admin import words
from apps.appointments.admin.forms import LOOK, DoctorField, MomentWidget
from apps.appointments.models import Appointment, BulkMove, MovedVisit, Room
from apps.appointments.moving_plan import Because, Place, Proposal, line
from apps.appointments.services import Absence
from apps.appointments.services.moving import Plan
from apps.rest.admin.forms import ServiceForm

SEEN = "seen"  # hidden boxes: the plan that was shown, a line a visit
WHY = {
    Because.NO_HOURS: "the doctor has no published hours",
    Because.NO_FREE_TIME: "nothing is free within sixty days",
    Because.TAKEN_MEANWHILE: "the time was taken meanwhile",
    Because.CHANGED_SINCE: "somebody changed the visit since",
    Because.OLD_PLACE_TAKEN: "its old time is taken",
    Because.OLD_PLACE_CLOSED: "its old doctor or room is not there any more",
}


class MoveForm(ServiceForm):
    """Whose visits, of which time, to whom, and why. Names of fields are those of the API's body."""

    doctor_id = DoctorField(label="Doctor who is absent")
    date_from = forms.SplitDateTimeField(label="Visits from", widget=MomentWidget)
    date_to = forms.SplitDateTimeField(label="Until", widget=MomentWidget, help_text="Visits that begin before then")
    to_doctor_id = DoctorField(
        label="To",
        required=False,
        help_text="Visits keep their time where the other doctor is free; the others get the next free one.",
    )
    reason = forms.CharField(
        max_length=400, required=False, help_text="Needed to move them, not to look. Is kept with the move: ill, course, …"
    )
    notify_patient = forms.BooleanField(label="Tell the patients", required=False, initial=True)

    class Meta:
        model = BulkMove
        fields = ("reason", "notify_patient")

    by: Any  # whoever fills it in

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        absent, other = (cast("DoctorField", self.fields[name]) for name in ("doctor_id", "to_doctor_id"))
        absent.offer(_known(self["doctor_id"].value()))  # the visits of one who left must still go elsewhere
        other.offer()
        other.empty_label = "Later, with the same doctor"
        if not self.by.may(Permission.APPOINTMENT_ANY):
            absent.offer_only(self.by)

    @property
    def only_looks(self) -> bool:
        """Whether the plan is to be shown; so it is where none was seen yet."""
        return self.is_bound and (LOOK in self.data or not self.seen)

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if self.only_looks:
            self.add_error(None, "Nothing was moved yet.")
        elif not (said.get("reason") or "").strip() and "reason" not in self.errors:
            self.add_error("reason", "Say why.")
        return said

    @property
    def absence(self) -> Absence | None:
        """What is asked for, as far as it makes sense."""
        said = getattr(self, "cleaned_data", {})
        if {"doctor_id", "date_from", "date_to", "to_doctor_id"} - said.keys():
            return None
        other = said["to_doctor_id"]
        return Absence(
            doctor_id=said["doctor_id"].pk,
            starts_at=said["date_from"],
            ends_at=said["date_to"],
            to_doctor_id=other.pk if other else None,
        )

    @property
    def seen(self) -> list[str]:
        """The plan that was agreed to."""
        return self.data.getlist(SEEN) if self.is_bound else []  # type: ignore[attr-defined]


def planned(plan: Plan, seen: Sequence[str]) -> list[dict[str, Any]]:
    """A plan in words, by the times the visits have. What differs from the plan that was seen before says so."""
    there = Places.of([place for one in plan.proposals for place in (one.stands, one.goes) if place])
    rows = sorted(plan.proposals, key=lambda one: (one.stands.scheduled_time, one.visit.pk))
    return [_planned(one, there, seen) for one in rows]


def moved(rows: Iterable[MovedVisit]) -> list[dict[str, Any]]:
    """A move in words. The rows come with visit, patient, doctors and rooms."""
    return [
        {
            **visit(row.appointment),
            "before": _place(row.from_time, row.from_doctor, row.from_room),
            "after": _place(row.to_time, row.to_doctor, row.to_room),
            "result": words.status(row.result),
            "why": WHY.get(Because(row.because), "") if row.because else "",
        }
        for row in rows
    ]


def visit(row: Appointment) -> dict[str, Any]:
    """Whose visit it is, and where its page is."""
    return {
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "who": words.patient(row.patient),
        "minutes": row.duration_minutes,
    }


class Places:
    """Doctors and rooms by id, read once."""

    def __init__(self, doctors: Mapping[UUID, User], rooms: Mapping[UUID, Room]) -> None:
        self.doctors, self.rooms = doctors, rooms

    @classmethod
    def of(cls, places: Sequence[Place]) -> "Places":
        doctors, rooms = {place.doctor_id for place in places}, {place.room_id for place in places if place.room_id}
        return cls(User.objects.in_bulk(doctors), Room.objects.in_bulk(rooms))

    def told(self, place: Place) -> str:
        room = self.rooms[place.room_id] if place.room_id else None
        return _place(place.scheduled_time, self.doctors[place.doctor_id], room)


def stayed(plan: Plan) -> str:
    """How many visits found no place, and why; empty where all did."""
    told: dict[str, int] = {}
    for one in plan.proposals:
        if one.because:
            told[WHY[one.because]] = told.get(WHY[one.because], 0) + 1
    return "; ".join(f"{why}: {number}" for why, number in told.items())


def gone(plan: Plan, seen: Sequence[str]) -> int:
    """How many visits of the plan that was seen before are not in this one."""
    return len({said.partition(" ")[0] for said in seen} - {str(one.visit.pk) for one in plan.proposals})


def _planned(one: Proposal, there: Places, seen: Sequence[str]) -> dict[str, Any]:
    said = line(one)
    return {
        **visit(one.visit),
        "line": said,
        "before": there.told(one.stands),
        "after": there.told(one.goes) if one.goes else "",
        "why": WHY[one.because] if one.because else "",
        "is_other": bool(seen) and said not in seen,
    }


def _place(at: datetime, doctor: User, room: Room | None) -> str:
    return ", ".join([words.moment(at), words.doctor(doctor), *([room.name] if room else [])])


def _known(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
