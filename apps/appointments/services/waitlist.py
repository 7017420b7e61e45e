"""The waitlist's entries: somebody is put on it, taken off it, and falls off it when the last day has passed."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.appointments import openings, rules, waiting_rules
from apps.appointments.events import WaitlistEntryAdded, WaitlistEntryExpired, WaitlistEntryWithdrawn, WaitlistOfferSettled
from apps.appointments.models import Appointment, OfferStatus, VisitType, WaitlistEntry, WaitlistOffer, WaitPriority, WaitStatus
from apps.appointments.services.booking import patient_to_book
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound
from apps.events.services import emit
from apps.patients import selectors as patients

PORTION = 100  # rows that a worker settles in one transaction
_SAME_OPENING = 0x57414954  # "WAIT": the first half of the advisory locks of freed times


class AlreadyWaiting(Conflict):
    """`details.waitlist_entry_id` is the entry that is there."""

    message = "The patient waits for such a visit already."


class NotWaiting(Conflict):
    """From here the entry does not go there. `details` says from, to and what is allowed."""

    message = "The patient is not waiting any more."


@dataclass(frozen=True, kw_only=True)
class NewWait:
    """What somebody waits for. Without a doctor: any. Days and times are the clinic's, both ends included."""

    patient_id: UUID
    date_to: date
    date_from: date | None = None  # today
    doctor_id: UUID | None = None
    appointment_type: str = VisitType.CONSULTATION.value
    duration_minutes: int | None = None
    time_from: time | None = None
    time_to: time | None = None
    priority: str = WaitPriority.MEDIUM.value
    note: str = ""


@transaction.atomic
def put_on_waitlist(*, by: Actor, wait: NewWait) -> WaitlistEntry:
    """The patient would come sooner. Raises Invalid naming the field, Forbidden, PatientNotActive, AlreadyWaiting."""
    since = wait.date_from or clock.today()
    _refuse_odd_days(wait, since)
    _refuse_odd_times(wait)
    _refuse_stranger(by, wait.doctor_id)
    patient = patient_to_book(by, wait.patient_id, at=clock.now())
    same = {"patient": patient, "doctor": wait.doctor_id, "appointment_type": wait.appointment_type}
    # No constraint: when two records of one person become one, both their entries stand, and the desk sees them.
    if found := WaitlistEntry.objects.filter(**same, status=WaitStatus.WAITING).first():
        raise AlreadyWaiting(waitlist_entry_id=found.pk)
    entry = WaitlistEntry.objects.create(
        patient=patient,
        doctor_id=wait.doctor_id,
        appointment_type=wait.appointment_type,
        duration_minutes=wait.duration_minutes,
        date_from=since,
        date_to=wait.date_to,
        time_from=wait.time_from,
        time_to=wait.time_to,
        priority=wait.priority,
        note=wait.note,
        added_by_id=by.id,
    )
    emit(WaitlistEntryAdded(entry_id=entry.pk, patient_id=entry.patient_id, doctor_id=entry.doctor_id), by=by)
    return entry


@transaction.atomic
def take_off_waitlist(*, by: Actor, entry_id: UUID) -> WaitlistEntry:
    """The patient waits no longer; the row stays, and its open offer goes on to the next. Raises NotFound, NotWaiting."""
    entry = held_entry(by, entry_id)
    if entry.status != WaitStatus.WAITING:
        raise not_waiting(entry, WaitStatus.WITHDRAWN)
    entry.amend(status=WaitStatus.WITHDRAWN.value)
    emit(WaitlistEntryWithdrawn(entry_id=entry.pk, patient_id=entry.patient_id), by=by)
    for offer in WaitlistOffer.objects.filter(entry=entry, status=OfferStatus.OPEN).select_for_update():
        settle(by, offer, entry.patient_id, OfferStatus.WITHDRAWN)
    return entry


@transaction.atomic
def expire_waits(*, by: Actor) -> int:
    """Take those off whose last day has passed, a portion of them. Answers how many."""
    over = WaitlistEntry.objects.filter(status=WaitStatus.WAITING, date_to__lt=clock.today()).order_by("date_to", "pk")
    found = list(over.select_for_update(skip_locked=True)[:PORTION])
    for entry in found:
        entry.amend(status=WaitStatus.EXPIRED.value)
        emit(WaitlistEntryExpired(entry_id=entry.pk, patient_id=entry.patient_id), by=by)
    return len(found)


def held_entry(by: Actor, entry_id: UUID) -> WaitlistEntry:
    """The entry under the locks of its patient and its row, in this order. Raises NotFound."""
    shown = WaitlistEntry.objects.visible_to(by).filter(pk=entry_id)
    patient_id = shown.values_list("patient_id", flat=True).first()
    if patient_id is None:
        raise NotFound("There is no such entry on the waitlist.")
    patients.locked_survivor(by, patient_id)
    return WaitlistEntry.objects.select_for_update().get(pk=entry_id)


def hold_opening(opening: UUID) -> None:
    """Keep everybody else from offering or taking this freed time until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_SAME_OPENING, hash(opening) & 0x7FFFFFFF])


def settle(
    by: Actor, offer: WaitlistOffer, patient_id: UUID, status: OfferStatus, *, appointment: Appointment | None = None
) -> bool:
    """Close an open offer; False where somebody did already. Whoever listens passes the time on."""
    now = clock.now()
    values: dict[str, Any] = {"status": status.value, "settled_at": now, "appointment": appointment, "updated_at": now}
    if not WaitlistOffer.objects.filter(pk=offer.pk, status=OfferStatus.OPEN).update(**values):
        return False
    for name, value in values.items():
        setattr(offer, name, value)
    fact = WaitlistOfferSettled(
        entry_id=offer.entry_id, offer_id=offer.pk, patient_id=patient_id, opening=offer.opening, status=status.value
    )
    emit(fact, by=by)
    return True


def not_waiting(entry: WaitlistEntry, to: str) -> NotWaiting:
    """The refusal, as section 3 of the contract wants it told."""
    told: dict[str, Any] = {"from": entry.status, "to": str(to), "allowed": waiting_rules.allowed(entry.status)}
    return NotWaiting(**told)


def _refuse_odd_days(wait: NewWait, since: date) -> None:
    if since < clock.today():
        raise Invalid(field="date_from", issue="Lies in the past: begin today or later.")
    if wait.date_to < since:
        raise Invalid(field="date_to", issue="Lies before date_from.")
    if wait.date_to - since > timedelta(days=rules.FURTHEST_DAYS):
        raise Invalid(field="date_to", issue=f"Lies more than {rules.FURTHEST_DAYS} days after date_from.")


def _refuse_odd_times(wait: NewWait) -> None:
    if (wait.time_from is None) != (wait.time_to is None):
        missing = "time_from" if wait.time_from is None else "time_to"
        raise Invalid(field=missing, issue="Send both times of day, or neither.")
    if wait.time_from is None or wait.time_to is None:
        return
    if wait.time_to <= wait.time_from:
        raise Invalid(field="time_to", issue="Must be later than time_from.")
    room = timedelta(hours=wait.time_to.hour, minutes=wait.time_to.minute)
    room -= timedelta(hours=wait.time_from.hour, minutes=wait.time_from.minute)
    if room < timedelta(minutes=wait.duration_minutes or 0):
        raise Invalid(field="time_to", issue="The visit is longer than that: nothing fits between the two times.")


def _refuse_stranger(by: Actor, doctor_id: UUID | None) -> None:
    if doctor_id is None:
        return
    now = clock.now()
    if openings.practice(doctor_id, start=now, end=now) is None:
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    if not by.may(Permission.APPOINTMENT_ANY) and doctor_id != by.id:
        raise Forbidden("Doctors put patients on their own waitlist, or on everybody's.", field="doctor_id")
