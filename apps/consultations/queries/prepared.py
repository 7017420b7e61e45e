"""The hot reads of visits: their querysets, the SQL made once for each role and set of filters and run prepared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts.models import RolePermissions
from apps.common import clock
from apps.common.prepared import PreparedQuery
from apps.consultations.models import Consultation, StepSave
from apps.patients.lists import scoped_list
from apps.patients.lists.patient_queries import NOW, RolePlaceholder, surviving_id
from apps.patients.lists.scoped_list import ACTOR_SLOTS, ScopedList

COLUMNS = (
    "id",
    "patient_id",
    "doctor_id",
    "appointment_id",
    "workflow_type",
    "status",
    "current_step",
    "started_at",
    "completed_at",
)

# Blanks: values that no condition of a queryset holds by itself.
_CONSULTATION = UUID(int=6)
_PATIENT, _DOCTOR, _APPOINTMENT, _STATUS = UUID(int=2), UUID(int=3), UUID(int=4), "(some status)"
_SINCE, _UNTIL = datetime(1, 1, 3, tzinfo=UTC), datetime(1, 1, 4, tzinfo=UTC)
_FILTERS: Mapping[str, tuple[Any, Q]] = {
    "patient_id": (_PATIENT, Q(patient=surviving_id(_PATIENT))),
    "doctor_id": (_DOCTOR, Q(doctor=_DOCTOR)),
    "appointment_id": (_APPOINTMENT, Q(appointment=_APPOINTMENT)),
    "since": (_SINCE, Q(started_at__gte=_SINCE)),
    "until": (_UNTIL, Q(started_at__lt=_UNTIL)),
    "status": (_STATUS, Q()),  # see `scoped_list.by_status`
}


def consultations(actor: Actor, **filters: Any) -> scoped_list.BoundList:
    """The visits this actor may know of, the latest first, under these filters (see `selectors.listing`)."""
    given = {name: value for name, value in filters.items() if value is not None}
    names = tuple(name for name in _FILTERS if name in given)
    return scoped_list.bind(_list_for(actor, names), [given[name] for name in names], actor)


def consultation(actor: Actor, consultation_id: UUID) -> Consultation | None:
    """The visit, if it is shown to the actor."""
    rows: list[Consultation] = _detail_for(actor).instances(consultation_id, actor.id, clock.now())
    return rows[0] if rows else None


def latest_saves(consultation_id: UUID) -> list[StepSave]:
    """Each step of a visit as it stands, in order."""
    return _latest().instances(consultation_id)


@cache
def _latest() -> PreparedQuery:
    saves = StepSave.objects.filter(consultation=_CONSULTATION).order_by("number", "-version").distinct("number")
    return PreparedQuery(saves, _CONSULTATION)


def _filtered(actor: Actor, names: tuple[str, ...]) -> ScopedList:
    order: Sequence[str] = ("-started_at", "-id")
    condition = Q(*(_FILTERS[name][1] for name in names))
    if "status" in names:
        status, order = scoped_list.by_status(names, _STATUS, order)
        condition &= status
    by = scoped_list.ListFilter(condition, [_FILTERS[name][0] for name in names])
    return ScopedList(Consultation.objects, COLUMNS, order, actor, by, tally="consultations_rowcounter", counted="consultations")


def _list_for(actor: Actor, names: tuple[str, ...]) -> ScopedList:
    if isinstance(actor, RolePermissions):
        return _list_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL, names)
    return _filtered(actor, names)


@cache
def _list_of_role(role: str, admin_clinical: bool, names: tuple[str, ...]) -> ScopedList:  # noqa: ARG001
    return _filtered(RolePlaceholder(role), names)


def _detail_for(actor: Actor) -> PreparedQuery:
    return _detail_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL) if isinstance(actor, RolePermissions) else _detail(actor)


@cache
def _detail_of_role(role: str, admin_clinical: bool) -> PreparedQuery:  # noqa: ARG001
    return _detail(RolePlaceholder(role))


def _detail(actor: Actor) -> PreparedQuery:
    return PreparedQuery(
        Consultation.objects.visible_to(actor, NOW).order_by().filter(pk=_CONSULTATION), _CONSULTATION, optional=ACTOR_SLOTS
    )
