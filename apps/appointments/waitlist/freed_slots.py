"""Freed times: whether they are still free, and which waitlist entries fit them, the first in rank first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from apps.appointments import rules
from apps.appointments.models import (
    Appointment,
    BulkReschedule,
    FreedSlotOffer,
    OfferStatus,
    WaitlistEntry,
    WaitlistOffer,
    WaitStatus,
)
from apps.appointments.models.waitlist import WaitlistQuerySet
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.waitlist import matching
from apps.appointments.waitlist.matching import Preference
from apps.common import clock

_BATCH, _MAX_ENTRIES = 100, 1_000  # entries read in one statement, and at most in all


@dataclass(frozen=True)
class FreedSlot:
    """A doctor's time that an appointment left. `opening` is the id of the event that announced it."""

    opening: UUID
    doctor_id: UUID
    room_id: UUID | None
    span: TimeSpan


@dataclass(frozen=True)
class Candidate:
    """A waiting patient who fits, and the minutes of the appointment."""

    entry: WaitlistEntry
    minutes: int


def of_offer(row: FreedSlotOffer) -> FreedSlot:
    """Returns the whole freed time."""
    return FreedSlot(row.pk, row.doctor_id, row.room_id, TimeSpan(row.starts_at, row.ends_at))


def still_free(doctor_id: UUID, span: TimeSpan) -> TimeSpan | None:
    """Returns the longest part of the time in which the doctor works and is not booked; None if there is none."""
    taken = _taken(doctor_id, span)
    return None if taken is None else matching.longest_free(span, taken)


def still_free_from_the_start(doctor_id: UUID, span: TimeSpan) -> TimeSpan | None:
    """Returns the free part that begins at the start of the time, because an offer begins there; None if the start is taken."""
    taken = _taken(doctor_id, span)
    return None if taken is None else matching.free_from_the_start(span, taken)


def _taken(doctor_id: UUID, span: TimeSpan) -> list[TimeSpan] | None:
    """Returns when the doctor is booked or away, in order; None if the doctor is not there at that time.

    A doctor whose appointments of that time were moved by a bulk reschedule is not there, whatever the week says, until reception
    books an appointment there again. A doctor without published hours can work at any time.
    """
    doctor_availability = availability.for_doctor(doctor_id, start=span.start, end=span.end)
    if doctor_availability is None or is_moved_away(doctor_id, span):
        return None
    closed = rules.without([span], doctor_availability.open_spans(span)) if doctor_availability.hours else ()
    taken = [*availability.taken(doctor_id, span.start, span.end), *doctor_availability.off, *closed]
    return sorted(taken, key=lambda one: one.start)


def to_look_at(slots: QuerySet[FreedSlotOffer]) -> QuerySet[FreedSlotOffer]:
    """Returns those of the freed times whose doctor and day fit a waiting patient who has no open offer, and those with open
    offers, because the time may be gone."""
    open_offers = WaitlistOffer.objects.filter(status=OfferStatus.OPEN)
    offered = open_offers.filter(opening=OuterRef("pk"))
    waiting = WaitlistEntry.objects.filter(
        Q(doctor=None) | Q(doctor=OuterRef("doctor")),
        ~Exists(open_offers.filter(entry=OuterRef("pk"))),
        status=WaitStatus.WAITING,
        date_from__lte=OuterRef("day"),
        date_to__gte=OuterRef("day"),
    )
    return slots.alias(day=TruncDate("starts_at", tzinfo=availability.clinic_zone())).filter(Exists(waiting) | Exists(offered))


def candidates(slot: FreedSlot) -> Iterator[Candidate]:
    """Yields the entries that fit, in order of rank: waiting, did not refuse this time, without another open offer or
    appointment then."""
    usual, seen_patients = cache(partial(_usual_minutes, slot.doctor_id)), set[UUID]()
    ids = list(_ranked(slot).values_list("pk", flat=True)[:_MAX_ENTRIES])  # once: accepting changes the result
    for start in range(0, len(ids), _BATCH):
        entries = list(WaitlistEntry.objects.filter(pk__in=ids[start : start + _BATCH]).ranked())
        busy = _busy({entry.patient_id for entry in entries}, slot.span)
        for entry in entries:
            minutes = entry.duration_minutes or usual(entry.appointment_type)
            if entry.patient_id not in seen_patients and _fits(slot, entry, minutes, busy.get(entry.patient_id, [])):
                seen_patients.add(entry.patient_id)
                yield Candidate(entry, minutes)


def _ranked(slot: FreedSlot) -> WaitlistQuerySet:
    start = slot.span.start.astimezone(availability.clinic_zone())
    offers = WaitlistOffer.objects.filter(entry=OuterRef("pk"))
    refused_time = Q(  # the time may have been booked and freed again since
        doctor=slot.doctor_id, scheduled_time=slot.span.start, status__in=[OfferStatus.DECLINED, OfferStatus.EXPIRED]
    )
    already_offered = WaitlistOffer.objects.filter(Q(opening=slot.opening) | refused_time, entry__patient=OuterRef("patient"))
    declined_time = Appointment.objects.filter(  # a patient who has just cancelled this very time
        patient=OuterRef("patient"),
        doctor=slot.doctor_id,
        status__in=[Status.CANCELLED, Status.NO_SHOW],
        scheduled_time__lt=slot.span.end,
        ends_at__gt=slot.span.start,
    )
    return WaitlistEntry.objects.filter(
        Q(doctor=None) | Q(doctor=slot.doctor_id),
        Q(time_from=None) | Q(time_from__lte=start.time()),
        ~Exists(offers.filter(status=OfferStatus.OPEN)),
        ~Exists(already_offered),
        ~Exists(declined_time),
        status=WaitStatus.WAITING,
        date_from__lte=start.date(),
        date_to__gte=start.date(),
        patient__is_active=True,
        patient__deceased_at=None,
    ).ranked()


def _fits(slot: FreedSlot, entry: WaitlistEntry, minutes: int, busy: Sequence[TimeSpan]) -> bool:
    visit = TimeSpan(slot.span.start, slot.span.start + timedelta(minutes=minutes))
    preference = Preference(entry.date_from, entry.date_to, entry.time_from, entry.time_to)
    fits = visit.end <= slot.span.end and preference.fits(visit, availability.clinic_zone())
    return fits and not any(one.overlaps(visit) for one in busy)


def _busy(patients: Collection[UUID], span: TimeSpan) -> dict[UUID, list[TimeSpan]]:
    """Returns the appointments of these patients within the span, by patient."""
    busy: dict[UUID, list[TimeSpan]] = {}
    rows = Appointment.objects.live().filter(patient__in=patients, scheduled_time__lt=span.end, ends_at__gt=span.start)
    for patient_id, start, end in rows.values_list("patient_id", "scheduled_time", "ends_at"):
        busy.setdefault(patient_id, []).append(TimeSpan(start, end))
    return busy


def _usual_minutes(doctor_id: UUID, appointment_type: str) -> int:
    """Returns the doctor's usual minutes for this appointment type."""
    now = clock.now()
    doctor_availability = availability.for_doctor(doctor_id, start=now, end=now, appointment_type=appointment_type)
    return doctor_availability.minutes if doctor_availability else rules.SLOT_MINUTES


def is_moved_away(doctor_id: UUID, span: TimeSpan) -> bool:
    """Returns whether a bulk reschedule marks the doctor as away: until an appointment with the doctor is booked there again."""
    booked_again = Appointment.objects.filter(
        doctor=doctor_id,
        created_at__gt=OuterRef("moved_at"),
        scheduled_time__gte=OuterRef("starts_at"),
        scheduled_time__lt=OuterRef("ends_at"),
    )
    moves = BulkReschedule.objects.filter(doctor=doctor_id, starts_at__lt=span.end, ends_at__gt=span.start, undone_at=None)
    return moves.filter(~Exists(booked_again)).exists()
