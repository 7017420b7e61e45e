"""Locks many appointments in one transaction without deadlocks.

A service that writes many appointments takes all locks before the first write, always in this order: patients, appointments,
doctors and rooms. A booking of one appointment locks its patient only. A move, or a return to its time, locks its patient, its
row, and its doctors and rooms. PostgreSQL ends any remaining deadlock after a second; then the service runs again.
"""

import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.services import transitions
from apps.patients import selectors as patients

MAX_ATTEMPTS = 3
P = ParamSpec("P")
T = TypeVar("T")


def retry_on_deadlock(service: Callable[P, T]) -> Callable[P, T]:
    """Runs the service in a transaction, and runs it again if PostgreSQL ended it because of a deadlock."""

    @functools.wraps(service)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in range(MAX_ATTEMPTS - 1, -1, -1):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as error:
                if not left or not isinstance(error.__cause__, DeadlockDetected):
                    raise
        raise AssertionError("unreachable")

    return tried


def lock_appointments(by: Actor, visits: Iterable[UUID], *places: UUID | None) -> list[Appointment]:
    """Returns these appointments, in order of time; they, their patients, doctors and rooms are locked until the transaction
    ends.

    It leaves out appointments that the actor may not see, and those whose patient was merged meanwhile. `places` are more doctors
    and rooms to lock.
    """
    ids = list(visits)
    rows = Appointment.objects.visible_to(by).filter(pk__in=ids)
    people = sorted(set(rows.values_list("patient_id", flat=True)))
    patients.get_survivors_for_update(by, *people)
    locked = list(rows.filter(patient__in=people).order_by("pk").select_for_update(of=("self",)).select_related("patient"))
    used = [place for row in locked for place in (row.doctor_id, row.room_id)]
    transitions.lock_places(*used, *places)
    return sorted(locked, key=lambda row: (row.scheduled_time, row.pk))
