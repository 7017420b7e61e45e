"""Times that came free: whether they are still free, and who of the waitlist fits them, the first to be asked first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.appointments import openings, rules, waiting_rules
from apps.appointments.models import Appointment, BulkMove, OfferStatus, Opening, WaitlistEntry, WaitlistOffer, WaitStatus
from apps.appointments.models.waiting import WaitlistQuerySet
from apps.appointments.rules import Span, Status
from apps.appointments.waiting_rules import Wish
from apps.common import clock

_PORTION, _MOST = 100, 1_000  # entries read at once, and looked at in all


@dataclass(frozen=True)
class Freed:
    """A doctor's time that a visit left. `opening` is the fact that said so."""

    opening: UUID
    doctor_id: UUID
    room_id: UUID | None
    span: Span


@dataclass(frozen=True)
class Candidate:
    """Somebody who waits and fits, and how long the visit would be."""

    entry: WaitlistEntry
    minutes: int


def of_opening(row: Opening) -> Freed:
    """What came free, all of it."""
    return Freed(row.pk, row.doctor_id, row.room_id, Span(row.starts_at, row.ends_at))


def still_free(doctor_id: UUID, span: Span) -> Span | None:
    """The longest part of the time in which the doctor works and is with nobody; None where none is."""
    taken = _taken(doctor_id, span)
    return None if taken is None else waiting_rules.longest_free(span, taken)


def still_free_from_the_start(doctor_id: UUID, span: Span) -> Span | None:
    """The same of the part that begins with the time: what is offered begins there."""
    taken = _taken(doctor_id, span)
    return None if taken is None else waiting_rules.free_from_the_start(span, taken)


def _taken(doctor_id: UUID, span: Span) -> list[Span] | None:
    """When the doctor is with somebody or away, in order; None where there is no such doctor then.

    A doctor whose visits of that time were moved elsewhere all at once is not there, whatever the week says, until the desk books
    somebody there again. Who has published no hours works whenever somebody is booked.
    """
    practice = openings.practice(doctor_id, start=span.start, end=span.end)
    if practice is None or _is_moved_away(doctor_id, span):
        return None
    closed = rules.without([span], practice.open_spans(span)) if practice.hours else ()
    taken = [*openings.taken(doctor_id, span.start, span.end), *practice.off, *closed]
    return sorted(taken, key=lambda one: one.start)


def candidates(freed: Freed) -> Iterator[Candidate]:
    """Who fits, the first in rank first: waits, was not asked yet, has no other offer open, and nothing else at that time."""
    usual, asked = cache(partial(_usual, freed.doctor_id)), set[UUID]()
    ids = list(_ranked(freed).values_list("pk", flat=True)[:_MOST])  # once: whoever takes from here changes who is left
    for start in range(0, len(ids), _PORTION):
        entries = list(WaitlistEntry.objects.filter(pk__in=ids[start : start + _PORTION]).ranked())
        busy = _busy({entry.patient_id for entry in entries}, freed.span)
        for entry in entries:
            minutes = entry.duration_minutes or usual(entry.appointment_type)
            if entry.patient_id not in asked and _fits(freed, entry, minutes, busy.get(entry.patient_id, [])):
                asked.add(entry.patient_id)
                yield Candidate(entry, minutes)


def _ranked(freed: Freed) -> WaitlistQuerySet:
    start = freed.span.start.astimezone(openings.clinic_zone())
    theirs = WaitlistOffer.objects.filter(entry=OuterRef("pk"))
    known = WaitlistOffer.objects.filter(entry__patient=OuterRef("patient"), opening=freed.opening)
    left = Appointment.objects.filter(  # who just said no to this very time
        patient=OuterRef("patient"),
        doctor=freed.doctor_id,
        status__in=[Status.CANCELLED, Status.NO_SHOW],
        scheduled_time__lt=freed.span.end,
        ends_at__gt=freed.span.start,
    )
    return WaitlistEntry.objects.filter(
        Q(doctor=None) | Q(doctor=freed.doctor_id),
        Q(time_from=None) | Q(time_from__lte=start.time()),
        ~Exists(theirs.filter(status=OfferStatus.OPEN)),
        ~Exists(known),
        ~Exists(left),
        status=WaitStatus.WAITING,
        date_from__lte=start.date(),
        date_to__gte=start.date(),
        patient__is_active=True,
        patient__deceased_at=None,
    ).ranked()


def _fits(freed: Freed, entry: WaitlistEntry, minutes: int, busy: Sequence[Span]) -> bool:
    visit = Span(freed.span.start, freed.span.start + timedelta(minutes=minutes))
    wish = Wish(entry.date_from, entry.date_to, entry.time_from, entry.time_to)
    fits = visit.end <= freed.span.end and wish.fits(visit, openings.clinic_zone())
    return fits and not any(one.overlaps(visit) for one in busy)


def _busy(patients: Collection[UUID], span: Span) -> dict[UUID, list[Span]]:
    """When these patients are with somebody within the span."""
    found: dict[UUID, list[Span]] = {}
    rows = Appointment.objects.live().filter(patient__in=patients, scheduled_time__lt=span.end, ends_at__gt=span.start)
    for patient_id, start, end in rows.values_list("patient_id", "scheduled_time", "ends_at"):
        found.setdefault(patient_id, []).append(Span(start, end))
    return found


def _usual(doctor_id: UUID, appointment_type: str) -> int:
    """How long the doctor takes for such a visit."""
    now = clock.now()
    practice = openings.practice(doctor_id, start=now, end=now, appointment_type=appointment_type)
    return practice.minutes if practice else rules.SLOT_MINUTES


def _is_moved_away(doctor_id: UUID, span: Span) -> bool:
    """Whether a move of all visits still says that the doctor is away: until somebody is booked with the doctor there again."""
    since = Appointment.objects.filter(
        doctor=doctor_id,
        created_at__gt=OuterRef("moved_at"),
        scheduled_time__gte=OuterRef("starts_at"),
        scheduled_time__lt=OuterRef("ends_at"),
    )
    moves = BulkMove.objects.filter(doctor=doctor_id, starts_at__lt=span.end, ends_at__gt=span.start, undone_at=None)
    return moves.filter(~Exists(since)).exists()
