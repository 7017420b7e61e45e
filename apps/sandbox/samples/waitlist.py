"""The sample waitlist: a few adults and a child who wait for an earlier appointment, generated each day like the schedule."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random
from uuid import UUID

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments import services
from apps.appointments.models import WaitlistEntry
from apps.appointments.services import NewWaitlistEntry
from apps.common import clock
from apps.sandbox.samples import appointments
from apps.sandbox.samples.appointments import PatientPool
from apps.sandbox.samples.staff import ID_OF


@dataclass(frozen=True, kw_only=True)
class SampleWait:
    """What one of them waits for; without a doctor, for any."""

    note: str
    doctor: str = ""
    kind: str = "consultation"
    priority: str = "medium"
    days: int = 14
    hours: tuple[time, time] | None = None


SAMPLE_WAITS = (
    SampleWait(note="Can be here within half an hour", doctor="dr.smith", priority="high"),
    SampleWait(note="Mornings before work", doctor="dr.smith", kind="follow_up", hours=(time(9), time(12))),
    SampleWait(note="Chest discomfort on exertion, seen by telephone", doctor="dr.patel", priority="urgent", days=5),
    SampleWait(note="Any doctor will do"),
    SampleWait(note="After school", doctor="dr.lee", hours=(time(14), time(17))),
    SampleWait(note="Booster, no hurry", kind="vaccination", priority="low", days=30),
)


def create_samples(by: Actor) -> int:
    """Creates the entries if the waitlist is empty. Returns how many."""
    if WaitlistEntry.objects.exists():
        return 0
    active_doctors = set(User.objects.filter(pk__in=ID_OF.values(), is_active=True, role="doctor").values_list("pk", flat=True))
    waits = [
        one
        for one in sample_waits(clock.today(), appointments.people())
        if one.doctor_id is None or one.doctor_id in active_doctors
    ]
    for one in waits:
        services.add_to_waitlist(by=by, new=one)
    return len(waits)


def sample_waits(day: date, people: PatientPool) -> Iterator[NewWaitlistEntry]:
    """Returns the requests of this day: no patient waits for two things."""
    random = Random(f"waitlist of {day}")  # noqa: S311  # a sample, not a secret
    chosen: set[UUID] = set()
    for one in SAMPLE_WAITS:
        available = [person for person in people.of(one.doctor) if person not in chosen]
        if not available:
            continue
        patient_id = random.choice(available)
        chosen.add(patient_id)
        yield NewWaitlistEntry(
            patient_id=patient_id,
            doctor_id=ID_OF[one.doctor] if one.doctor else None,
            appointment_type=one.kind,
            date_from=day,
            date_to=day + timedelta(days=one.days),
            time_from=one.hours[0] if one.hours else None,
            time_to=one.hours[1] if one.hours else None,
            priority=one.priority,
            note=one.note,
        )
