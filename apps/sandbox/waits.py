"""Who waits for an earlier visit in the toy hospital: a few grown-ups and a child, drawn anew each day like the diary."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random
from uuid import UUID

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments import services
from apps.appointments.models import WaitlistEntry
from apps.appointments.services import NewWait
from apps.common import clock
from apps.sandbox import diary
from apps.sandbox.diary import People
from apps.sandbox.staff import ID_OF


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What one of them waits for; without a doctor, for any."""

    note: str
    doctor: str = ""
    kind: str = "consultation"
    priority: str = "medium"
    days: int = 14
    hours: tuple[time, time] | None = None


WAITING = (
    Waiting(note="Can be here within half an hour", doctor="dr.smith", priority="high"),
    Waiting(note="Mornings before work", doctor="dr.smith", kind="follow_up", hours=(time(9), time(12))),
    Waiting(note="Chest discomfort on exertion, seen by telephone", doctor="dr.patel", priority="urgent", days=5),
    Waiting(note="Any doctor will do"),
    Waiting(note="After school", doctor="dr.lee", hours=(time(14), time(17))),
    Waiting(note="Booster, no hurry", kind="vaccination", priority="low", days=30),
)


def lay_out(by: Actor) -> int:
    """Put them on the waitlist where nobody is on it yet. Answers how many."""
    if WaitlistEntry.objects.exists():
        return 0
    here = set(User.objects.filter(pk__in=ID_OF.values(), is_active=True, role="doctor").values_list("pk", flat=True))
    asked = [one for one in today(clock.today(), diary.people()) if one.doctor_id is None or one.doctor_id in here]
    for one in asked:
        services.put_on_waitlist(by=by, wait=one)
    return len(asked)


def today(day: date, people: People) -> Iterator[NewWait]:
    """What is asked for on this day: nobody waits for two things."""
    draw = Random(f"waitlist of {day}")  # noqa: S311  # a sample, not a secret
    chosen: set[UUID] = set()
    for one in WAITING:
        left = [person for person in people.of(one.doctor) if person not in chosen]
        if not left:
            continue
        patient_id = draw.choice(left)
        chosen.add(patient_id)
        yield NewWait(
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
