"""The form of a bulk reschedule, and how its appointments are written on pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.appointments.models import Appointment, BulkReschedule, RescheduledAppointment, Room
from apps.appointments.rights import Permission
from apps.appointments.rules import AppointmentPlace
from apps.appointments.scheduling.reschedule_plan import Proposal, UnplacedReason, line
from apps.appointments.scheduling.services.reschedule import ReschedulePlan
from apps.appointments.services import DoctorAbsence
from apps.desk.appointments import labels
from apps.desk.appointments.forms import LOOK, DoctorField, MomentField
from apps.desk.kit.forms import ServiceForm

SEEN = "seen"  # hidden fields: the plan that was shown, one line for each appointment
WHY = {
    UnplacedReason.NO_HOURS: _("the doctor has no published hours"),
    UnplacedReason.NO_FREE_TIME: _("nothing is free within sixty days"),
    UnplacedReason.TAKEN_MEANWHILE: _("the time has since been taken"),
    UnplacedReason.CHANGED_SINCE: _("the appointment has been changed since"),
    UnplacedReason.OLD_PLACE_TAKEN: _("its previous time is taken"),
    UnplacedReason.OLD_PLACE_CLOSED: _("its previous doctor or room is no longer available"),
    UnplacedReason.PATIENT_NOT_ACTIVE: _("the patient has died or is no longer active"),
}


class RescheduleForm(ServiceForm[BulkReschedule]):
    """The absent doctor, the period, the new doctor and the reason. The fields have the names of the API's body."""

    doctor_id = DoctorField(label=_("Doctor who is absent"))
    date_from = MomentField(label=_("Appointments from"))
    date_to = MomentField(label=_("Until"), help_text=_("Appointments that begin before"))
    to_doctor_id = DoctorField(
        label=_("To"),
        required=False,
        help_text=_("Appointments keep their time if the other doctor is free; the others get the next free time."),
    )
    reason = forms.CharField(
        max_length=400,
        required=False,
        help_text=_("Required to move them, not to see the new times. Stored with the move: ill, course, …"),
    )
    notify_patient = forms.BooleanField(label=_("Tell the patients"), required=False, initial=True)

    class Meta:
        model = BulkReschedule
        fields = ("reason", "notify_patient")

    by: Any  # the user who fills in the form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        absent, other = (cast("DoctorField", self.fields[name]) for name in ("doctor_id", "to_doctor_id"))
        absent.offer(_known(self["doctor_id"].value()))  # appointments of a doctor who left must still be moved
        other.offer()
        other.empty_label = gettext("Later, with the same doctor")
        if not self.by.has_permission(Permission.APPOINTMENT_ANY):
            absent.offer_only(self.by)

    @property
    def is_preview(self) -> bool:
        """Returns whether to show the plan: the user asked for it, or has not seen one yet."""
        return self.is_bound and (LOOK in self.data or not self.seen)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.is_preview:
            self.add_error(None, gettext("Nothing has been moved yet."))
        elif not (cleaned.get("reason") or "").strip() and "reason" not in self.errors:
            self.add_error("reason", gettext("Enter a reason."))
        return cleaned

    @property
    def absence(self) -> DoctorAbsence | None:
        """Returns the requested absence; None if the form is not valid."""
        cleaned = getattr(self, "cleaned_data", {})
        if {"doctor_id", "date_from", "date_to", "to_doctor_id"} - cleaned.keys():
            return None
        other = cleaned["to_doctor_id"]
        return DoctorAbsence(
            doctor_id=cleaned["doctor_id"].pk,
            starts_at=cleaned["date_from"],
            ends_at=cleaned["date_to"],
            to_doctor_id=other.pk if other else None,
        )

    @property
    def seen(self) -> list[str]:
        """Returns the lines of the plan that the user confirmed."""
        return self.data.getlist(SEEN) if self.is_bound else []  # type: ignore[attr-defined]  # a bound form has a QueryDict


def planned(plan: ReschedulePlan, seen: Sequence[str]) -> list[dict[str, Any]]:
    """Returns a plan as rows of text, in order of the appointments' times, with differences to the plan that the user saw
    marked."""
    there = Places.of([place for one in plan.proposals for place in (one.before, one.after) if place])
    return [_planned(one, there, seen) for one in plan.in_order]


def moved(rows: Iterable[RescheduledAppointment]) -> list[dict[str, Any]]:
    """Returns a bulk reschedule as rows of text. The rows come with appointment, patient, doctors and rooms."""
    return [
        {
            **appointment_link(row.appointment),
            "before": _place(row.from_time, row.from_doctor, row.from_room),
            "after": _place(row.to_time, row.to_doctor, row.to_room),
            "result": labels.status(row.result),
            "why": str(WHY.get(UnplacedReason(row.because), "")) if row.because else "",
        }
        for row in rows
    ]


def appointment_link(row: Appointment) -> dict[str, Any]:
    """Returns the patient of an appointment and the address of its page."""
    return {
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "who": labels.patient(row.patient),
        "minutes": row.duration_minutes,
    }


class Places:
    """Doctors and rooms by id, read once."""

    def __init__(self, doctors: Mapping[UUID, User], rooms: Mapping[UUID, Room]) -> None:
        self.doctors, self.rooms = doctors, rooms

    @classmethod
    def of(cls, places: Sequence[AppointmentPlace]) -> "Places":
        doctors, rooms = {place.doctor_id for place in places}, {place.room_id for place in places if place.room_id}
        return cls(User.objects.in_bulk(doctors), Room.objects.in_bulk(rooms))

    def label(self, place: AppointmentPlace) -> str:
        room = self.rooms[place.room_id] if place.room_id else None
        return _place(place.scheduled_time, self.doctors[place.doctor_id], room)


def stayed(plan: ReschedulePlan) -> str:
    """Returns how many appointments found no place, by reason; empty if all did."""
    counts: dict[str, int] = {}
    for one in plan.proposals:
        if one.because:
            counts[str(WHY[one.because])] = counts.get(str(WHY[one.because]), 0) + 1
    return "; ".join(f"{why}: {number}" for why, number in counts.items())


def gone(plan: ReschedulePlan, seen: Sequence[str]) -> int:
    """Returns how many appointments of the plan that the user saw are not in this one."""
    return len({shown_line.partition(" ")[0] for shown_line in seen} - {str(one.appointment.pk) for one in plan.proposals})


def _planned(one: Proposal, there: Places, seen: Sequence[str]) -> dict[str, Any]:
    plan_line = line(one)
    return {
        **appointment_link(one.appointment),
        "line": plan_line,
        "before": there.label(one.before),
        "after": there.label(one.after) if one.after else "",
        "why": str(WHY[one.because]) if one.because else "",
        "is_other": bool(seen) and plan_line not in seen,
    }


def _place(at: datetime, doctor: User, room: Room | None) -> str:
    return ", ".join([labels.moment(at), labels.doctor(doctor), *([room.name] if room else [])])


def _known(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
