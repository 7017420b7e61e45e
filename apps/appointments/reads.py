"""The hot reads of the diary: its querysets, their SQL made once for each role and set of filters and run prepared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts.models import Rights
from apps.appointments.models import Appointment
from apps.common import clock
from apps.common.prepared import Compiled
from apps.patients import lists
from apps.patients.lists import Filtered
from apps.patients.reads import SOMEBODY, SOMETIME, StandIn, standing

COLUMNS = (
    "id",
    "patient_id",
    "doctor_id",
    "room_id",
    "series_id",
    "appointment_type",
    "status",
    "scheduled_time",
    "ends_at",
    "duration_minutes",
    "notes",
    "overbook_reason",
    "triage",
    "queue_number",
    "checked_in_at",
    "cancelled_at",
    "cancellation_reason",
)

# Blanks: values that no condition of a queryset holds by itself.
_WHO, _VISIT = (SOMEBODY, SOMETIME), UUID(int=5)
_BLANKS: Mapping[str, Any] = {
    "patient_id": UUID(int=2),
    "doctor_id": UUID(int=3),
    "since": datetime(1, 1, 3, tzinfo=UTC),
    "until": datetime(1, 1, 4, tzinfo=UTC),
    "status": "(some status)",
}


def of(actor: Actor, *, newest_first: bool = True, **filters: Any) -> lists.Read:
    """The visits this actor may know of, under these filters (see `selectors.listing`)."""
    asked = {name: value for name, value in filters.items() if value is not None}
    names = tuple(name for name in _BLANKS if name in asked)
    values = tuple(asked[name] for name in names)
    return lists.ready(_kept_for(actor, names, newest_first), values, actor)


def one(actor: Actor, appointment_id: UUID) -> Appointment | None:
    """The visit, if it is shown to the actor."""
    found: list[Appointment] = _one_for(actor).instances(appointment_id, actor.id, clock.now())
    return found[0] if found else None


def _filtered(actor: Actor, names: tuple[str, ...], newest_first: bool) -> Filtered:
    order: Sequence[str] = ("-scheduled_time", "-id") if newest_first else ("scheduled_time", "id")
    asked = [_condition(name) for name in names if name != "status"]
    if "status" in names:
        status, order = lists.by_status(names, _BLANKS["status"], order)
        asked.append(status)
    by = lists.Filter(Q(*asked), [_BLANKS[name] for name in names])
    return Filtered(Appointment.objects, COLUMNS, order, actor, by, tally="appointments_tally", counted="visits")


def _condition(name: str) -> Q:
    blank = _BLANKS[name]
    conditions = {
        "patient_id": lambda: Q(patient=standing(blank)),
        "doctor_id": lambda: Q(doctor=blank),
        "since": lambda: Q(scheduled_time__gte=blank),
        "until": lambda: Q(scheduled_time__lt=blank),
    }
    return conditions[name]()


def _kept_for(actor: Actor, names: tuple[str, ...], newest_first: bool) -> Filtered:
    if isinstance(actor, Rights):
        return _of_role(actor.role, settings.HIMS_ADMIN_CLINICAL, names, newest_first)
    return _filtered(actor, names, newest_first)


def _one_for(actor: Actor) -> Compiled:
    if isinstance(actor, Rights):
        return _one_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL)
    return _single(actor)


@cache
def _of_role(role: str, admin_clinical: bool, names: tuple[str, ...], newest_first: bool) -> Filtered:  # noqa: ARG001
    return _filtered(StandIn(role), names, newest_first)


@cache
def _one_of_role(role: str, admin_clinical: bool) -> Compiled:  # noqa: ARG001
    return _single(StandIn(role))


def _single(actor: Actor) -> Compiled:
    return Compiled(Appointment.objects.visible_to(actor, SOMETIME).order_by().filter(pk=_VISIT), _VISIT, perhaps=_WHO)
