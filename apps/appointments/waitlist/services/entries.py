"""Entries on the waitlist: a patient is added, is removed, or expires after the last acceptable day."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments import rules
from apps.appointments.events import WaitlistEntryAdded, WaitlistEntryExpired, WaitlistEntryWithdrawn, WaitlistOfferSettled
from apps.appointments.models import (
    Appointment,
    AppointmentType,
    OfferStatus,
    WaitlistEntry,
    WaitlistOffer,
    WaitPriority,
    WaitStatus,
)
from apps.appointments.rights import Permission
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.availability import OtherDoctorsSchedule
from apps.appointments.services.booking import patient_to_book
from apps.appointments.waitlist import matching
from apps.common import clock, locks
from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.lifecycle.machine import StateMachine
from apps.common.locks import LockName
from apps.events.services import emit
from apps.patients import selectors as patients

BATCH_SIZE = 100  # rows that a worker settles in one transaction


class AlreadyWaiting(Conflict):
    """`details.waitlist_entry_id` is the existing entry."""

    message = "The patient is already waiting for such an appointment."


class NotWaiting(Conflict):
    """The entry cannot go from its status to this one. `details` has `from`, `to` and `allowed`."""

    message = "The patient is no longer waiting."


class EntryStates(StateMachine[WaitlistEntry]):
    """The lifecycle of an entry on the waitlist. Its events are its history."""

    lifecycle = matching.LIFECYCLE
    name = "entry on the waitlist"
    refusal = NotWaiting


STATES = EntryStates()


@dataclass(frozen=True, kw_only=True)
class NewWaitlistEntry:
    """A requested entry. Without a doctor: any doctor. Days and times are in the clinic's time zone; both ends are included."""

    patient_id: UUID
    date_to: date
    date_from: date | None = None  # default: today
    doctor_id: UUID | None = None
    appointment_type: str = AppointmentType.CONSULTATION.value
    duration_minutes: int | None = None
    time_from: time | None = None
    time_to: time | None = None
    priority: str = WaitPriority.MEDIUM.value
    note: str = ""


@transaction.atomic
def add_to_waitlist(*, by: Actor, new: NewWaitlistEntry) -> WaitlistEntry:
    """Adds the patient to the waitlist. Raises Invalid naming the field, Forbidden, PatientNotActive, AlreadyWaiting."""
    since = new.date_from or clock.today()
    _check_days(new, since)
    _check_times(new)
    _check_doctor(by, new.doctor_id)
    patient = patient_to_book(by, new.patient_id, at=clock.now())
    same = {"patient": patient, "doctor": new.doctor_id, "appointment_type": new.appointment_type}
    # No constraint: after a merge of two records both their entries stay, and reception sees them.
    if existing := WaitlistEntry.objects.filter(**same, status=WaitStatus.WAITING).first():
        raise AlreadyWaiting(waitlist_entry_id=existing.pk)
    entry = WaitlistEntry.objects.create(
        patient=patient,
        doctor_id=new.doctor_id,
        appointment_type=new.appointment_type,
        duration_minutes=new.duration_minutes,
        date_from=since,
        date_to=new.date_to,
        time_from=new.time_from,
        time_to=new.time_to,
        priority=new.priority,
        note=new.note,
        added_by_id=by.id,
    )
    emit(WaitlistEntryAdded(entry_id=entry.pk, patient_id=entry.patient_id, doctor_id=entry.doctor_id), by=by)
    return entry


@transaction.atomic
def withdraw_from_waitlist(*, by: Actor, entry_id: UUID) -> WaitlistEntry:
    """Removes the patient from the waitlist; the row stays, and the next patient gets an open offer. Raises NotFound,
    NotWaiting."""
    entry = lock_entry(by, entry_id)
    STATES.move(entry, WaitStatus.WITHDRAWN, by=by)
    emit(WaitlistEntryWithdrawn(entry_id=entry.pk, patient_id=entry.patient_id), by=by)
    for offer in WaitlistOffer.objects.filter(entry=entry, status=OfferStatus.OPEN).select_for_update():
        settle(by, offer, entry.patient_id, OfferStatus.WITHDRAWN)
    return entry


@transaction.atomic
def expire_entries(*, by: Actor) -> int:
    """Expires a batch of the entries whose last day has passed. Returns how many."""
    over = WaitlistEntry.objects.filter(status=WaitStatus.WAITING, date_to__lt=clock.today()).order_by("date_to", "pk")
    entries = list(over.select_for_update(skip_locked=True)[:BATCH_SIZE])
    for entry in entries:
        STATES.move(entry, WaitStatus.EXPIRED, by=by, by_system=True)
        emit(WaitlistEntryExpired(entry_id=entry.pk, patient_id=entry.patient_id), by=by)
    return len(entries)


def lock_entry(by: Actor, entry_id: UUID) -> WaitlistEntry:
    """Returns the entry; locks its patient and its row, in this order. Raises NotFound."""
    shown = WaitlistEntry.objects.visible_to(by).filter(pk=entry_id)
    patient_id = shown.values_list("patient_id", flat=True).first()
    if patient_id is None:
        raise NotFound("There is no such waitlist entry.")
    patients.get_survivor_for_update(by, patient_id)
    return STATES.lock(WaitlistEntry.objects.filter(pk=entry_id))


def lock_freed_slot(opening: UUID) -> None:
    """Prevents other transactions from offering or accepting this freed time until this one ends."""
    locks.lock(LockName.FREED_SLOT, opening)


def settle(
    by: Actor, offer: WaitlistOffer, patient_id: UUID, status: OfferStatus, *, appointment: Appointment | None = None
) -> bool:
    """Closes an open offer. Returns False if it is already closed. A listener offers the time to the next patient."""
    now = clock.now()
    values: dict[str, Any] = {"status": status.value, "settled_at": now, "appointment": appointment, "updated_at": now}
    if not WaitlistOffer.objects.filter(pk=offer.pk, status=OfferStatus.OPEN).update(**values):
        return False
    for name, value in values.items():
        setattr(offer, name, value)
    event = WaitlistOfferSettled(
        entry_id=offer.entry_id, offer_id=offer.pk, patient_id=patient_id, opening=offer.opening, status=status.value
    )
    emit(event, by=by)
    return True


def _check_days(new: NewWaitlistEntry, since: date) -> None:
    if since < clock.today():
        raise Invalid(field="date_from", issue="Must not be in the past: choose today or later.")
    if new.date_to < since:
        raise Invalid(field="date_to", issue="Must not be before date_from.")
    if new.date_to - since > timedelta(days=rules.FURTHEST_DAYS):
        raise Invalid(field="date_to", issue=f"Must be at most {rules.FURTHEST_DAYS} days after date_from.")


def _check_times(new: NewWaitlistEntry) -> None:
    if (new.time_from is None) != (new.time_to is None):
        missing = "time_from" if new.time_from is None else "time_to"
        raise Invalid(field=missing, issue="Send both time_from and time_to, or neither.")
    if new.time_from is None or new.time_to is None:
        return
    if new.time_to <= new.time_from:
        raise Invalid(field="time_to", issue="Must be later than time_from.")
    length = timedelta(hours=new.time_to.hour, minutes=new.time_to.minute)
    length -= timedelta(hours=new.time_from.hour, minutes=new.time_from.minute)
    if length < timedelta(minutes=new.duration_minutes or 0):
        raise Invalid(field="time_to", issue="The appointment takes longer than the time between the two.")


def _check_doctor(by: Actor, doctor_id: UUID | None) -> None:
    if doctor_id is None:
        return
    now = clock.now()
    if availability.for_doctor(doctor_id, start=now, end=now) is None:
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    if not by.has_permission(Permission.APPOINTMENT_ANY) and doctor_id != by.id:
        raise OtherDoctorsSchedule(
            "Doctors can add patients only to their own waitlist or to the one for any doctor.", field="doctor_id"
        )
