"""Responses to offers: the first patient who accepts is booked; if a patient declines, the next one gets the offer.

Accepting is a normal booking, and the constraints decide. Locks are taken in this order: freed time, patient, entry, offer. Of
many who accept one time, each waits for the previous one, so there is no deadlock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments.models import Appointment, FreedSlotOffer, OfferStatus, Room, WaitlistEntry, WaitlistOffer, WaitStatus
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.services import locking
from apps.appointments.services.booking import BookingResult, NewAppointment, SlotTaken, book
from apps.appointments.waitlist import freed_slots
from apps.appointments.waitlist.services import entries
from apps.appointments.waitlist.services.entries import lock_entry, lock_freed_slot, settle
from apps.appointments.waitlist.services.offers import close_lost
from apps.common import clock
from apps.common.errors import Conflict, Invalid, NotFound


class OfferClosed(Conflict):
    """`details` has the offer's id, its status, and the issue: offer_lost, offer_expired, offer_declined or offer_withdrawn."""

    message = "The offer is no longer open."


class OfferLost(OfferClosed):
    message = "The time is no longer free: another patient was booked."


class OfferExpired(OfferClosed):
    message = "The offer has expired."


class NothingOffered(Conflict):
    message = "This patient has no offer yet."


@dataclass(frozen=True)
class AcceptedOffer:
    """The booked appointment, and the entry that it ends."""

    booked: BookingResult
    entry: WaitlistEntry


def accept_offer(*, by: Actor, entry_id: UUID, offer_id: UUID | None = None) -> AcceptedOffer:
    """Books the time that the patient was offered; without `offer_id` the open offer. The other patients with this offer lose it.

    Raises NotFound, NothingOffered, NotWaiting, OfferLost, OfferExpired, OfferClosed, SlotTaken, PatientNotActive. After a
    refusal the offer is closed in a transaction of its own, so that no patient keeps an offer that cannot be accepted.
    """
    offer = _find_offer(by, entry_id, offer_id)
    try:
        return _accept(by, offer)
    except Conflict as refusal:
        if isinstance(refusal, SlotTaken):
            refusal.details |= _details(offer, OfferStatus.LOST)
        _close_refused(by, offer)
        raise


@transaction.atomic
def decline_offer(*, by: Actor, entry_id: UUID, offer_id: UUID | None = None) -> WaitlistEntry:
    """Declines the time for the patient, who keeps waiting.

    Raises NotFound, NothingOffered, OfferLost, OfferExpired, OfferClosed.
    """
    offer = _find_offer(by, entry_id, offer_id)
    entry = lock_entry(by, offer.entry_id)
    offer = _lock_open_offer(offer)
    settle(by, offer, entry.patient_id, OfferStatus.DECLINED)
    return entry


@locking.retry_on_deadlock
def _accept(by: Actor, offer: WaitlistOffer) -> AcceptedOffer:
    lock_freed_slot(offer.opening)
    entry = lock_entry(by, offer.entry_id)
    entries.STATES.check(entry, WaitStatus.BOOKED)
    offer = _lock_open_offer(offer)
    booked = _book(by, entry, offer)
    entries.STATES.move(entry, WaitStatus.BOOKED, by=by, appointment=booked.appointment)
    settle(by, offer, entry.patient_id, OfferStatus.ACCEPTED, appointment=booked.appointment)
    others = WaitlistOffer.objects.filter(opening=offer.opening, status=OfferStatus.OPEN)
    close_lost(by, list(others.select_related("entry").order_by("pk")))
    FreedSlotOffer.objects.filter(pk=offer.opening).update(is_open=False)
    return AcceptedOffer(booked, entry)


def _find_offer(by: Actor, entry_id: UUID, offer_id: UUID | None) -> WaitlistOffer:
    """Returns the named offer, else the open one, else the last. Raises NotFound, NothingOffered."""
    if not WaitlistEntry.objects.visible_to(by).filter(pk=entry_id).exists():
        raise NotFound("There is no such waitlist entry.")
    offers = WaitlistOffer.objects.filter(entry=entry_id).order_by("-created_at", "-pk")
    if offer_id is not None:
        named = offers.filter(pk=offer_id).first()
        if named is None:
            raise Invalid(field="offer_id", issue="This patient has no such offer.")
        return named
    offer = offers.filter(status=OfferStatus.OPEN).first() or offers.first()
    if offer is None:
        raise NothingOffered
    return offer


def _lock_open_offer(offer: WaitlistOffer) -> WaitlistOffer:
    """Returns the offer's row, locked and open. Raises OfferLost, OfferExpired, OfferClosed."""
    row = WaitlistOffer.objects.select_for_update().get(pk=offer.pk)
    status = OfferStatus(row.status)
    if status == OfferStatus.OPEN and row.expires_at <= clock.now():
        status = OfferStatus.EXPIRED
    if status != OfferStatus.OPEN:
        kind = {OfferStatus.LOST: OfferLost, OfferStatus.EXPIRED: OfferExpired}.get(status, OfferClosed)
        raise kind(**_details(row, status))
    return row


def _details(offer: WaitlistOffer, status: OfferStatus) -> dict[str, Any]:
    return {"issue": f"offer_{status.value}", "offer_id": offer.pk, "offer_status": status.value}


def _book(by: Actor, entry: WaitlistEntry, offer: WaitlistOffer) -> BookingResult:
    end = offer.scheduled_time + timedelta(minutes=offer.duration_minutes)
    doctor_availability = availability.for_doctor(offer.doctor_id, start=offer.scheduled_time, end=end)
    span = TimeSpan(offer.scheduled_time, end)
    if doctor_availability is None or doctor_availability.off or freed_slots.is_moved_away(offer.doctor_id, span):
        raise OfferLost("The doctor is no longer available at that time.", **_details(offer, OfferStatus.LOST))
    new = NewAppointment(
        patient_id=entry.patient_id,
        doctor_id=offer.doctor_id,
        scheduled_time=offer.scheduled_time,
        duration_minutes=offer.duration_minutes,
        appointment_type=entry.appointment_type,
        room_id=_room(offer, end),
        notes=entry.note,
    )
    return book(by=by, new=new)


def _room(offer: WaitlistOffer, end: datetime) -> UUID | None:
    """Returns the room of the previous appointment if it is in use and free. Otherwise the booking has no room."""
    if offer.room_id is None or not Room.objects.filter(pk=offer.room_id, is_active=True).exists():
        return None
    booked = Appointment.objects.live().filter(room=offer.room_id, overbook_seat=None)
    return None if booked.filter(scheduled_time__lt=end, ends_at__gt=offer.scheduled_time).exists() else offer.room_id


@transaction.atomic
def _close_refused(by: Actor, offer: WaitlistOffer) -> None:
    row = WaitlistOffer.objects.filter(pk=offer.pk, status=OfferStatus.OPEN).select_related("entry").first()
    if row is not None:
        settle(by, row, row.entry.patient_id, OfferStatus.EXPIRED if row.expires_at <= clock.now() else OfferStatus.LOST)
