"""The hot reads of the diary: its querysets, their SQL made once for each role and set of filters and run prepared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts.models import RolePermissions
from apps.appointments.models import Appointment
from apps.common import clock
from apps.common.prepared import PreparedQuery
from apps.patients.lists import scoped_list
from apps.patients.lists.patient_queries import ACTOR_ID, NOW, RolePlaceholder, surviving_id
from apps.patients.lists.scoped_list import ScopedList

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
_ACTOR, _APPOINTMENT = (ACTOR_ID, NOW), UUID(int=5)
_SLOTS: Mapping[str, Any] = {
    "patient_id": UUID(int=2),
    "doctor_id": UUID(int=3),
    "since": datetime(1, 1, 3, tzinfo=UTC),
    "until": datetime(1, 1, 4, tzinfo=UTC),
    "status": "(some status)",
}


def appointments(actor: Actor, *, newest_first: bool = True, **filters: Any) -> scoped_list.BoundList:
    """The visits this actor may know of, under these filters (see `selectors.listing`)."""
    given = {name: value for name, value in filters.items() if value is not None}
    names = tuple(name for name in _SLOTS if name in given)
    values = tuple(given[name] for name in names)
    return scoped_list.bind(_list_for(actor, names, newest_first), values, actor)


def appointment(actor: Actor, appointment_id: UUID) -> Appointment | None:
    """The visit, if it is shown to the actor."""
    rows: list[Appointment] = _detail_for(actor).instances(appointment_id, actor.id, clock.now())
    return rows[0] if rows else None


def _filtered(actor: Actor, names: tuple[str, ...], newest_first: bool) -> ScopedList:
    order: Sequence[str] = ("-scheduled_time", "-id") if newest_first else ("scheduled_time", "id")
    conditions = [_condition(name) for name in names if name != "status"]
    if "status" in names:
        status, order = scoped_list.by_status(names, _SLOTS["status"], order)
        conditions.append(status)
    by = scoped_list.ListFilter(Q(*conditions), [_SLOTS[name] for name in names])
    return ScopedList(Appointment.objects, COLUMNS, order, actor, by, tally="appointments_rowcounter", counted="visits")


def _condition(name: str) -> Q:
    slot = _SLOTS[name]
    conditions = {
        "patient_id": lambda: Q(patient=surviving_id(slot)),
        "doctor_id": lambda: Q(doctor=slot),
        "since": lambda: Q(scheduled_time__gte=slot),
        "until": lambda: Q(scheduled_time__lt=slot),
    }
    return conditions[name]()


def _list_for(actor: Actor, names: tuple[str, ...], newest_first: bool) -> ScopedList:
    if isinstance(actor, RolePermissions):
        return _list_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL, names, newest_first)
    return _filtered(actor, names, newest_first)


def _detail_for(actor: Actor) -> PreparedQuery:
    if isinstance(actor, RolePermissions):
        return _detail_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL)
    return _detail(actor)


@cache
def _list_of_role(role: str, admin_clinical: bool, names: tuple[str, ...], newest_first: bool) -> ScopedList:  # noqa: ARG001
    return _filtered(RolePlaceholder(role), names, newest_first)


@cache
def _detail_of_role(role: str, admin_clinical: bool) -> PreparedQuery:  # noqa: ARG001
    return _detail(RolePlaceholder(role))


def _detail(actor: Actor) -> PreparedQuery:
    return PreparedQuery(
        Appointment.objects.visible_to(actor, NOW).order_by().filter(pk=_APPOINTMENT), _APPOINTMENT, optional=_ACTOR
    )
