"""Taking over visits as they happened elsewhere: on paper while the system was down, or in another system."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.access.actor import Actor
from apps.appointments import openings
from apps.appointments.events import AppointmentsTakenOver
from apps.appointments.models import Appointment, StatusChange, VisitType
from apps.appointments.rules import Status
from apps.appointments.services import team
from apps.common.ids import new_id
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts


@dataclass(frozen=True, kw_only=True)
class Step:
    """The visit went to this status then, by this person's hand."""

    status: str
    at: datetime
    by_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class TakenVisit:
    """A visit with all it went through, in order; the first step is its booking."""

    patient_id: UUID
    doctor_id: UUID
    scheduled_time: datetime
    duration_minutes: int
    steps: Sequence[Step]
    id: UUID = field(default_factory=new_id)
    appointment_type: str = VisitType.CONSULTATION.value
    room_id: UUID | None = None
    notes: str = ""
    queue_number: int | None = None
    triage: str = "routine"
    triage_reason: str = ""
    cancellation_reason: str = ""


@transaction.atomic
def take_over(*, by: Actor, visits: Sequence[TakenVisit]) -> int:
    """Write down visits with their history. Those that are here already, or clash with what is here, are left out.

    Answers how many came in. Raises NotFound for an unknown patient.
    """
    asked = list(dict.fromkeys(visit.patient_id for visit in visits))
    people = dict(zip(asked, patients.locked_survivors(by, *asked), strict=True))
    visits = [replace(visit, patient_id=people[visit.patient_id].pk) for visit in visits]
    Appointment.objects.bulk_create([_row(visit) for visit in visits], ignore_conflicts=True)
    here = set(_fresh(visits))
    taken = [visit for visit in visits if visit.id in here]
    StatusChange.objects.bulk_create(change for visit in taken for change in _history(visit))
    by_patient = defaultdict(set)
    for visit in taken:
        if visit.steps[-1].status in team.COUNTS:
            by_patient[visit.patient_id].add(visit.doctor_id)
    for person in people.values():
        for doctor_id in by_patient.pop(person.pk, ()):
            charts.join_care_team(by=by, patient=person, doctor_id=doctor_id, because=team.BECAUSE)
    _give_out_tokens(taken)
    emit(AppointmentsTakenOver(visits=len(taken)), by=by)
    return len(taken)


def _fresh(visits: Sequence[TakenVisit]) -> Iterable[UUID]:
    """Those that are there now and have no history yet."""
    here = Appointment.objects.filter(pk__in=[visit.id for visit in visits])
    known = StatusChange.objects.filter(appointment__in=[visit.id for visit in visits]).values("appointment")
    return here.exclude(pk__in=known).values_list("pk", flat=True)


def _row(visit: TakenVisit) -> Appointment:
    first, last = visit.steps[0], visit.steps[-1]
    cancelled = last.status == Status.CANCELLED
    return Appointment(
        id=visit.id,
        created_at=first.at,
        updated_at=last.at,
        patient_id=visit.patient_id,
        doctor_id=visit.doctor_id,
        room_id=visit.room_id,
        appointment_type=visit.appointment_type,
        status=last.status,
        scheduled_time=visit.scheduled_time,
        duration_minutes=visit.duration_minutes,
        ends_at=visit.scheduled_time + timedelta(minutes=visit.duration_minutes),
        notes=visit.notes,
        booked_by_id=first.by_id,
        joins_care_team=True,  # what another system says of the past is not somebody's way into a chart
        checked_in_at=next((step.at for step in visit.steps if step.status == Status.CHECKED_IN), None),
        queue_number=visit.queue_number,
        triage=visit.triage,
        triage_reason=visit.triage_reason,
        cancelled_at=last.at if cancelled else None,
        cancellation_reason=visit.cancellation_reason if cancelled else "",
    )


def _history(visit: TakenVisit) -> Iterable[StatusChange]:
    was = ""
    for step in visit.steps:
        yield StatusChange(appointment_id=visit.id, from_status=was, to_status=step.status, at=step.at, by_id=step.by_id)
        was = step.status


_AT_LEAST = """
INSERT INTO appointments_queue AS q (day, last_number) VALUES (%s, %s)
ON CONFLICT (day) DO UPDATE SET last_number = greatest(q.last_number, excluded.last_number)
"""


def _give_out_tokens(visits: Sequence[TakenVisit]) -> None:
    """Whoever checks in on a day gets a token behind those taken over."""
    last: dict[date, int] = {}
    for visit in visits:
        if visit.queue_number:
            day = visit.scheduled_time.astimezone(openings.clinic_zone()).date()
            last[day] = max(last.get(day, 0), visit.queue_number)
    with connection.cursor() as cursor:
        for day, number in sorted(last.items()):
            cursor.execute(_AT_LEAST, [day, number])
