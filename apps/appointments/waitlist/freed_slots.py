"""Times that came free: whether they are still free, and who of the waitlist fits them, the first to be asked first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

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

_BATCH, _MAX_ENTRIES = 100, 1_000  # entries read at once, and looked at in all


@dataclass(frozen=True)
class FreedSlot:
    """A doctor's time that a visit left. `opening` is the fact that said so."""

    opening: UUID
    doctor_id: UUID
    room_id: UUID | None
    span: TimeSpan


@dataclass(frozen=True)
class Candidate:
    """Somebody who waits and fits, and how long the visit would be."""

    entry: WaitlistEntry
    minutes: int


def of_offer(row: FreedSlotOffer) -> FreedSlot:
    """What came free, all of it."""
    return FreedSlot(row.pk, row.doctor_id, row.room_id, TimeSpan(row.starts_at, row.ends_at))


def still_free(doctor_id: UUID, span: TimeSpan) -> TimeSpan | None:
    """The longest part of the time in which the doctor works and is with nobody; None where none is."""
    taken = _taken(doctor_id, span)
    return None if taken is None else matching.longest_free(span, taken)


def still_free_from_the_start(doctor_id: UUID, span: TimeSpan) -> TimeSpan | None:
    """The same of the part that begins with the time: what is offered begins there."""
    taken = _taken(doctor_id, span)
    return None if taken is None else matching.free_from_the_start(span, taken)


def _taken(doctor_id: UUID, span: TimeSpan) -> list[TimeSpan] | None:
    """When the doctor is with somebody or away, in order; None where there is no such doctor then.

    A doctor whose visits of that time were moved elsewhere all at once is not there, whatever the week says, until the desk books
    somebody there again. Who has published no hours works whenever somebody is booked.
    """
    doctor_availability = availability.for_doctor(doctor_id, start=span.start, end=span.end)
    if doctor_availability is None or _is_moved_away(doctor_id, span):
        return None
    closed = rules.without([span], doctor_availability.open_spans(span)) if doctor_availability.hours else ()
    taken = [*availability.taken(doctor_id, span.start, span.end), *doctor_availability.off, *closed]
    return sorted(taken, key=lambda one: one.start)


def candidates(slot: FreedSlot) -> Iterator[Candidate]:
    """Who fits, the first in rank first: waits, was not asked yet, has no other offer open, and nothing else at that time."""
    usual, seen_patients = cache(partial(_usual_minutes, slot.doctor_id)), set[UUID]()
    ids = list(_ranked(slot).values_list("pk", flat=True)[:_MAX_ENTRIES])  # once: whoever takes from here changes who is left
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
    already_offered = WaitlistOffer.objects.filter(entry__patient=OuterRef("patient"), opening=slot.opening)
    declined_time = Appointment.objects.filter(  # who just said no to this very time
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
    """When these patients are with somebody within the span."""
    busy: dict[UUID, list[TimeSpan]] = {}
    rows = Appointment.objects.live().filter(patient__in=patients, scheduled_time__lt=span.end, ends_at__gt=span.start)
    for patient_id, start, end in rows.values_list("patient_id", "scheduled_time", "ends_at"):
        busy.setdefault(patient_id, []).append(TimeSpan(start, end))
    return busy


def _usual_minutes(doctor_id: UUID, appointment_type: str) -> int:
    """How long the doctor takes for such a visit."""
    now = clock.now()
    doctor_availability = availability.for_doctor(doctor_id, start=now, end=now, appointment_type=appointment_type)
    return doctor_availability.minutes if doctor_availability else rules.SLOT_MINUTES


def _is_moved_away(doctor_id: UUID, span: TimeSpan) -> bool:
    """Whether a move of all visits still says that the doctor is away: until somebody is booked with the doctor there again."""
    booked_again = Appointment.objects.filter(
        doctor=doctor_id,
        created_at__gt=OuterRef("moved_at"),
        scheduled_time__gte=OuterRef("starts_at"),
        scheduled_time__lt=OuterRef("ends_at"),
    )
    moves = BulkReschedule.objects.filter(doctor=doctor_id, starts_at__lt=span.end, ends_at__gt=span.start, undone_at=None)
    return moves.filter(~Exists(booked_again)).exists()
