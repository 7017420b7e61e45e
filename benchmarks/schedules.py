"""Generated appointments: doctors with rooms and hours, and three appointments a patient, the same ones every time.

Everything of a visit follows from its number, so that blocks are made in any order and in several processes. The visits fill
whole working days round the Monday of the week they are loaded in, two thirds of them before it. Of live visits no two of a
doctor, a patient or a room meet. Values are texts as COPY reads them; None is NULL.
"""

# ruff: noqa: S311 (nothing here is secret, and all of it must come out the same every time)

import hashlib
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from math import gcd

from apps.appointments import rules
from apps.appointments.scheduling import availability
from benchmarks import people

VERSION = 1  # a change of what comes out is a new one: data of another are loaded anew
EACH = 3
MOST_DOCTORS, PATIENTS_A_DOCTOR = 500, 2_000  # a hundredth of the patients has a hundredth of the doctors, as busy as these
SLOTS_A_DAY, WORKING_DAYS, MINUTES = 16, 5, 30
OPENS = time(9)
BOOKED_BEFORE = timedelta(days=14)
PAST = ("completed",) * 6 + ("no_show", "cancelled")
AHEAD = ("scheduled", "scheduled", "confirmed", "confirmed", "cancelled")  # what was cancelled is free
TYPES = ("consultation", "consultation", "follow_up", "procedure", "vaccination", "telehealth")

AppointmentRow = dict[str, str | None]


@dataclass(frozen=True)
class Schedule:
    """Of so many patients; `monday` is that of the week in which past and future meet."""

    rows: int
    monday: date

    @property
    def doctors(self) -> int:
        return max(1, min(MOST_DOCTORS, self.rows // PATIENTS_A_DOCTOR))

    @property
    def weeks(self) -> int:
        return -(-self.rows * EACH // (self.doctors * SLOTS_A_DAY * WORKING_DAYS))

    @property
    def begins(self) -> date:
        return self.monday - timedelta(weeks=self.weeks * 2 // 3)

    def day(self, number: int) -> date:
        """The working day of this number."""
        weeks, day = divmod(number, WORKING_DAYS)
        return self.begins + timedelta(weeks=weeks, days=day)

    def patient(self, number: int) -> int:
        """Whose the visit is: as many visits one after another as there are patients are of as many patients."""
        return number * _stride(self.rows) % self.rows

    def block(self, block: int) -> Iterator[AppointmentRow]:
        """The visits of a block of patients' numbers, the oldest first."""
        dice = random.Random(f"visits {VERSION} {block}")
        first = block * people.BLOCK * EACH
        for number in range(first, min(first + people.BLOCK * EACH, self.rows * EACH)):
            yield self._visit(number, dice)

    def _visit(self, number: int, dice: random.Random) -> AppointmentRow:
        place, doctor = divmod(number, self.doctors)
        day, slot = divmod(place, SLOTS_A_DAY)
        start = opening(self.day(day)) + timedelta(minutes=MINUTES * slot)
        status = dice.choice(AHEAD if self.day(day) >= self.monday else PAST)
        kind = dice.choice(TYPES)
        booked = (start - BOOKED_BEFORE).isoformat()
        return {
            "id": str(people.dated_id(start - BOOKED_BEFORE, b"visit %d" % number)),
            "created_at": booked,
            "updated_at": booked,
            "patient_id": str(people.person_id(self.patient(number), self.rows)),
            "doctor_id": str(doctor_id(doctor)),
            "room_id": None if kind == "telehealth" else str(room_id(doctor)),
            "appointment_type": kind,
            "status": status,
            "scheduled_time": start.isoformat(),
            "duration_minutes": str(MINUTES),
            "ends_at": (start + timedelta(minutes=MINUTES)).isoformat(),
            "cancelled_at": booked if status == "cancelled" else None,
        }


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


@cache
def opening(day: date) -> datetime:
    """When the doctors begin on this day."""
    return rules.instant(day, OPENS, availability.clinic_zone())


@cache
def doctor_id(number: int) -> uuid.UUID:
    return _drawn(b"doctor %d" % number)


@cache
def room_id(number: int) -> uuid.UUID:
    return _drawn(b"room %d" % number)


def _drawn(name: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.blake2b(name, digest_size=16).digest(), version=4)


@cache
def _stride(rows: int) -> int:
    """About the golden section of the rows, and without a divisor in common with them."""
    stride = max(1, int(rows * 0.618))
    while gcd(stride, rows) != 1:
        stride += 1
    return stride
