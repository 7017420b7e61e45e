"""Offers a freed time to waiting patients, one after another, until a patient takes it or it is past.

An offer reserves nothing. Every service takes the freed time's advisory lock first, so that two workers do not offer it twice.
Each offer is settled by one UPDATE guarded by `status = open`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, Value

from apps.access.actor import Actor
from apps.appointments.events import WaitlistOffered
from apps.appointments.models import Appointment, FreedSlotOffer, OfferStatus, WaitlistEntry, WaitlistOffer, WaitStatus
from apps.appointments.models.waitlist import OfferQuerySet
from apps.appointments.rules import TimeSpan
from apps.appointments.waitlist import freed_slots, matching
from apps.appointments.waitlist.freed_slots import Candidate, FreedSlot
from apps.appointments.waitlist.services.entries import BATCH_SIZE, lock_freed_slot, settle
from apps.common import clock
from apps.events.services import emit


@transaction.atomic
def offer_freed_slot(
    *, by: Actor, opening: UUID, doctor_id: UUID, room_id: UUID | None, left: TimeSpan, freed_at: datetime
) -> list[WaitlistOffer]:
    """Offers a doctor's time that an appointment left to the first patients who fit. `opening` is the id of the event of
    `freed_at`.

    Returns the offers made: none if no patient fits, or if the time is taken, too near or already offered.
    """
    span = matching.worth_offering(left, freed_at)
    span = freed_slots.still_free(doctor_id, span) if span else None
    if span is None:
        return []
    lock_freed_slot(opening)
    if FreedSlotOffer.objects.filter(pk=opening).exists():
        return []
    FreedSlotOffer.objects.create(pk=opening, doctor_id=doctor_id, room_id=room_id, starts_at=span.start, ends_at=span.end)
    _close_unused(doctor_id, span, opening)
    return _offer(by, FreedSlot(opening, doctor_id, room_id, span), most=settings.HIMS_WAITLIST_OFFERS)


def offer_all_freed_slots(*, by: Actor) -> int:
    """Offers every future freed time to the patients who can get an offer now, because one may have declined or have been added
    since.

    Returns how many offers were made. Each time has its own transaction, so that none waits for another.
    """
    to_come = freed_slots.to_look_at(FreedSlotOffer.objects.filter(is_open=True))
    in_order = to_come.order_by("starts_at", "pk").values_list("starts_at", "pk")
    after, made = Q(starts_at__gt=clock.now()), 0
    while batch := list(in_order.filter(after)[:BATCH_SIZE]):
        made += sum(len(offer_to_next(by=by, opening=opening)) for _, opening in batch)
        last_start, last_opening = batch[-1]
        after = Q(starts_at__gte=last_start) & (Q(starts_at__gt=last_start) | Q(pk__gt=last_opening))
    return made


@transaction.atomic
def offer_to_next(*, by: Actor, opening: UUID) -> list[WaitlistOffer]:
    """Offers a freed time to the next patients, one for each settled offer. If the time is gone, closes the remaining offers.

    Returns the offers made.
    """
    lock_freed_slot(opening)
    row = FreedSlotOffer.objects.filter(pk=opening, is_open=True).first()
    if row is None:
        return []
    offers = list(WaitlistOffer.objects.filter(opening=opening).select_related("entry").order_by("rank"))
    freed = freed_slots.of_offer(row)
    still_free = freed_slots.still_free_from_the_start(freed.doctor_id, freed.span)
    still_open = [offer for offer in offers if offer.status == OfferStatus.OPEN]
    if still_free is None or any(offer.status == OfferStatus.ACCEPTED for offer in offers):
        close_lost(by, still_open)
        FreedSlotOffer.objects.filter(pk=opening).update(is_open=False)
        return []
    close_lost(by, [offer for offer in still_open if offer.duration_minutes > matching.minutes_of(still_free)])
    still_open = [offer for offer in still_open if offer.status == OfferStatus.OPEN]
    rest = FreedSlot(opening, freed.doctor_id, freed.room_id, still_free)
    return _offer(by, rest, most=settings.HIMS_WAITLIST_OFFERS - len(still_open))


@transaction.atomic
def expire_offers(*, by: Actor) -> int:
    """Closes a batch of the offers that have expired. Returns how many."""
    return len(_close(by, WaitlistOffer.objects.filter(expires_at__lte=clock.now()), OfferStatus.EXPIRED))


@transaction.atomic
def close_taken_offers(*, by: Actor) -> int:
    """Closes a batch of the offers whose time another booking has taken. Returns how many."""
    taken = Appointment.objects.live().filter(
        doctor=OuterRef("doctor"),
        overbook_seat=None,
        scheduled_time__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("scheduled_time"),
    )
    length = ExpressionWrapper(F("duration_minutes") * Value(timedelta(minutes=1)), output_field=DurationField())
    ends_at = ExpressionWrapper(F("scheduled_time") + length, output_field=DateTimeField())
    return len(_close(by, WaitlistOffer.objects.annotate(ends_at=ends_at).filter(Exists(taken)), OfferStatus.LOST))


def close_lost(by: Actor, offers: Sequence[WaitlistOffer]) -> None:
    """Closes these offers, because the time is taken. Their entries are loaded."""
    for offer in offers:
        settle(by, offer, offer.entry.patient_id, OfferStatus.LOST)


def _close_unused(doctor_id: UUID, span: TimeSpan, opening: UUID) -> None:
    """Closes earlier rows of this time without open offers: the time was booked and freed again, and this row offers it now."""
    open_offers = WaitlistOffer.objects.filter(opening=OuterRef("pk"), status=OfferStatus.OPEN)
    earlier = FreedSlotOffer.objects.filter(doctor=doctor_id, is_open=True, starts_at__lt=span.end, ends_at__gt=span.start)
    earlier.filter(~Exists(open_offers)).exclude(pk=opening).update(is_open=False)


def _close(by: Actor, due: OfferQuerySet, status: OfferStatus) -> list[WaitlistOffer]:
    rows = due.filter(status=OfferStatus.OPEN).select_related("entry").order_by("expires_at", "pk")
    offers = list(rows.select_for_update(of=("self",), skip_locked=True)[:BATCH_SIZE])
    for offer in offers:
        settle(by, offer, offer.entry.patient_id, status)
    return offers


def _offer(by: Actor, slot: FreedSlot, *, most: int) -> list[WaitlistOffer]:
    now = clock.now()
    if most < 1 or slot.span.start - now < matching.MIN_LEAD:
        return []
    last = WaitlistOffer.objects.filter(opening=slot.opening).aggregate(last=Max("rank"))["last"] or 0
    offers = (offer for one in freed_slots.candidates(slot) if (offer := _new_offer(slot, one, now)) is not None)
    made = []
    for rank, offer in enumerate(islice(offers, most), last + 1):
        offer.rank = rank
        offer.save(force_insert=True)
        emit(_offered_event(offer), by=by)
        made.append(offer)
    return made


def _new_offer(slot: FreedSlot, one: Candidate, now: datetime) -> WaitlistOffer | None:
    """Returns an unsaved offer; None if the entry is being removed, booked or offered another time."""
    entry = WaitlistEntry.objects.filter(pk=one.entry.pk, status=WaitStatus.WAITING).select_for_update(skip_locked=True).first()
    if entry is None or WaitlistOffer.objects.filter(entry=entry, status=OfferStatus.OPEN).exists():
        return None
    return WaitlistOffer(
        entry=entry,
        opening=slot.opening,
        doctor_id=slot.doctor_id,
        room_id=slot.room_id,
        scheduled_time=slot.span.start,
        duration_minutes=one.minutes,
        free_minutes=matching.minutes_of(slot.span),
        offered_at=now,
        expires_at=min(now + settings.HIMS_WAITLIST_OFFER, slot.span.start),
    )


def _offered_event(offer: WaitlistOffer) -> WaitlistOffered:
    return WaitlistOffered(
        entry_id=offer.entry_id,
        offer_id=offer.pk,
        patient_id=offer.entry.patient_id,
        doctor_id=offer.doctor_id,
        scheduled_time=offer.scheduled_time,
        expires_at=offer.expires_at,
    )
