"""A time that came free is offered to those who wait, and passed on until somebody takes it or it is gone.

An offer holds nothing. All that is done about one freed time is done under its advisory lock, so that two workers do not offer it
twice; each offer is settled by one UPDATE guarded by `status = open`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, Max, OuterRef, Value

from apps.access.actor import Actor
from apps.appointments import freed, waiting_rules
from apps.appointments.events import WaitlistOffered
from apps.appointments.freed import Candidate, Freed
from apps.appointments.models import Appointment, OfferStatus, Opening, WaitlistEntry, WaitlistOffer, WaitStatus
from apps.appointments.models.waiting import OfferQuerySet
from apps.appointments.rules import Span
from apps.appointments.services.waitlist import PORTION, hold_opening, settle
from apps.common import clock
from apps.events.services import emit


@transaction.atomic
def offer_freed(
    *, by: Actor, opening: UUID, doctor_id: UUID, room_id: UUID | None, left: Span, told_at: datetime
) -> list[WaitlistOffer]:
    """Offer a doctor's time that a visit left to the first who fit. `opening` is the fact that told it, at `told_at`.

    Answers the offers made: none where nobody fits, where it is taken or too near, and where it was offered already.
    """
    span = waiting_rules.worth_offering(left, told_at)
    span = freed.still_free(doctor_id, span) if span else None
    if span is None:
        return []
    hold_opening(opening)
    if Opening.objects.filter(pk=opening).exists():
        return []
    Opening.objects.create(pk=opening, doctor_id=doctor_id, room_id=room_id, starts_at=span.start, ends_at=span.end)
    return _offer(by, Freed(opening, doctor_id, room_id, span), most=settings.HIMS_WAITLIST_OFFERS)


def pass_on_all(*, by: Actor) -> int:
    """Offer every freed time to come to whoever can be asked now: somebody who was asked about one may have answered, or come
    onto the list. Answers how many offers were made. Each time is a transaction of its own, so that none waits for another.
    """
    asked = WaitlistOffer.objects.filter(entry=OuterRef("pk"), status=OfferStatus.OPEN)
    if not WaitlistEntry.objects.filter(~Exists(asked), status=WaitStatus.WAITING).exists():
        return 0
    to_come = Opening.objects.filter(is_open=True, starts_at__gt=clock.now()).order_by("starts_at", "pk")
    return sum(len(pass_on(by=by, opening=one)) for one in to_come.values_list("pk", flat=True)[:PORTION])


@transaction.atomic
def pass_on(*, by: Actor, opening: UUID) -> list[WaitlistOffer]:
    """Offer a freed time to the next who were not asked yet, as many as offers were settled; where it is gone, close the others.

    Answers the offers made.
    """
    hold_opening(opening)
    row = Opening.objects.filter(pk=opening, is_open=True).first()
    if row is None:
        return []
    made = list(WaitlistOffer.objects.filter(opening=opening).select_related("entry").order_by("rank"))
    again = freed.of_opening(row)
    here = freed.still_free_from_the_start(again.doctor_id, again.span)
    still_open = [offer for offer in made if offer.status == OfferStatus.OPEN]
    if here is None or any(offer.status == OfferStatus.ACCEPTED for offer in made):
        lose(by, still_open)
        Opening.objects.filter(pk=opening).update(is_open=False)
        return []
    lose(by, [offer for offer in still_open if offer.duration_minutes > waiting_rules.minutes_of(here)])
    still_open = [offer for offer in still_open if offer.status == OfferStatus.OPEN]
    rest = Freed(opening, again.doctor_id, again.room_id, here)
    return _offer(by, rest, most=settings.HIMS_WAITLIST_OFFERS - len(still_open))


@transaction.atomic
def expire_offers(*, by: Actor) -> int:
    """Close the offers whose time is over, a portion of them. Answers how many."""
    return len(_close(by, WaitlistOffer.objects.filter(expires_at__lte=clock.now()), OfferStatus.EXPIRED))


@transaction.atomic
def lose_taken(*, by: Actor) -> int:
    """Close the offers of times that somebody else booked, a portion of them. Answers how many."""
    taken = Appointment.objects.live().filter(
        doctor=OuterRef("doctor"),
        overbook_seat=None,
        scheduled_time__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("scheduled_time"),
    )
    length = ExpressionWrapper(F("duration_minutes") * Value(timedelta(minutes=1)), output_field=DurationField())
    ends_at = ExpressionWrapper(F("scheduled_time") + length, output_field=DateTimeField())
    return len(_close(by, WaitlistOffer.objects.annotate(ends_at=ends_at).filter(Exists(taken)), OfferStatus.LOST))


def lose(by: Actor, offers: Sequence[WaitlistOffer]) -> None:
    """Somebody else has the time: close these offers. Their entries are loaded."""
    for offer in offers:
        settle(by, offer, offer.entry.patient_id, OfferStatus.LOST)


def _close(by: Actor, due: OfferQuerySet, status: OfferStatus) -> list[WaitlistOffer]:
    rows = due.filter(status=OfferStatus.OPEN).select_related("entry").order_by("expires_at", "pk")
    found = list(rows.select_for_update(of=("self",), skip_locked=True)[:PORTION])
    for offer in found:
        settle(by, offer, offer.entry.patient_id, status)
    return found


def _offer(by: Actor, what: Freed, *, most: int) -> list[WaitlistOffer]:
    now = clock.now()
    if most < 1 or what.span.start - now < waiting_rules.LATEST_CALL:
        return []
    last = WaitlistOffer.objects.filter(opening=what.opening).aggregate(last=Max("rank"))["last"] or 0
    asked = (offer for one in freed.candidates(what) if (offer := _ask(what, one, now)) is not None)
    made = []
    for rank, offer in enumerate(islice(asked, most), last + 1):
        offer.rank = rank
        offer.save(force_insert=True)
        emit(_told(offer), by=by)
        made.append(offer)
    return made


def _ask(what: Freed, one: Candidate, now: datetime) -> WaitlistOffer | None:
    """The offer, not saved; None where the entry is just being taken off, booked or offered something else."""
    free = WaitlistEntry.objects.filter(pk=one.entry.pk, status=WaitStatus.WAITING).select_for_update(skip_locked=True).first()
    if free is None or WaitlistOffer.objects.filter(entry=free, status=OfferStatus.OPEN).exists():
        return None
    return WaitlistOffer(
        entry=free,
        opening=what.opening,
        doctor_id=what.doctor_id,
        room_id=what.room_id,
        scheduled_time=what.span.start,
        duration_minutes=one.minutes,
        free_minutes=waiting_rules.minutes_of(what.span),
        offered_at=now,
        expires_at=min(now + settings.HIMS_WAITLIST_OFFER, what.span.start),
    )


def _told(offer: WaitlistOffer) -> WaitlistOffered:
    return WaitlistOffered(
        entry_id=offer.entry_id,
        offer_id=offer.pk,
        patient_id=offer.entry.patient_id,
        doctor_id=offer.doctor_id,
        scheduled_time=offer.scheduled_time,
        expires_at=offer.expires_at,
    )
