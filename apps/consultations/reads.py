"""The hot reads of visits: their querysets, the SQL made once for each role and set of filters and run prepared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts.models import Rights
from apps.common import clock
from apps.common.prepared import Compiled
from apps.consultations.models import Consultation, StepSave
from apps.patients import lists
from apps.patients.lists import WHO, Filtered
from apps.patients.reads import SOMETIME, StandIn, standing

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
_VISIT = UUID(int=6)
_PATIENT, _DOCTOR, _APPOINTMENT, _STATUS = UUID(int=2), UUID(int=3), UUID(int=4), "(some status)"
_SINCE, _UNTIL = datetime(1, 1, 3, tzinfo=UTC), datetime(1, 1, 4, tzinfo=UTC)
_FILTERS: Mapping[str, tuple[Any, Q]] = {
    "patient_id": (_PATIENT, Q(patient=standing(_PATIENT))),
    "doctor_id": (_DOCTOR, Q(doctor=_DOCTOR)),
    "appointment_id": (_APPOINTMENT, Q(appointment=_APPOINTMENT)),
    "since": (_SINCE, Q(started_at__gte=_SINCE)),
    "until": (_UNTIL, Q(started_at__lt=_UNTIL)),
    "status": (_STATUS, Q()),  # see `lists.by_status`
}


def of(actor: Actor, **filters: Any) -> lists.Read:
    """The visits this actor may know of, the latest first, under these filters (see `selectors.listing`)."""
    asked = {name: value for name, value in filters.items() if value is not None}
    names = tuple(name for name in _FILTERS if name in asked)
    return lists.ready(_kept_for(actor, names), [asked[name] for name in names], actor)


def one(actor: Actor, consultation_id: UUID) -> Consultation | None:
    """The visit, if it is shown to the actor."""
    found: list[Consultation] = _one_for(actor).instances(consultation_id, actor.id, clock.now())
    return found[0] if found else None


def latest_saves(consultation_id: UUID) -> list[StepSave]:
    """Each step of a visit as it stands, in order."""
    return _latest().instances(consultation_id)


@cache
def _latest() -> Compiled:
    saves = StepSave.objects.filter(consultation=_VISIT).order_by("number", "-version").distinct("number")
    return Compiled(saves, _VISIT)


def _filtered(actor: Actor, names: tuple[str, ...]) -> Filtered:
    order: Sequence[str] = ("-started_at", "-id")
    asked = Q(*(_FILTERS[name][1] for name in names))
    if "status" in names:
        status, order = lists.by_status(names, _STATUS, order)
        asked &= status
    by = lists.Filter(asked, [_FILTERS[name][0] for name in names])
    return Filtered(Consultation.objects, COLUMNS, order, actor, by, tally="consultations_tally", counted="consultations")


def _kept_for(actor: Actor, names: tuple[str, ...]) -> Filtered:
    if isinstance(actor, Rights):
        return _of_role(actor.role, settings.HIMS_ADMIN_CLINICAL, names)
    return _filtered(actor, names)


@cache
def _of_role(role: str, admin_clinical: bool, names: tuple[str, ...]) -> Filtered:  # noqa: ARG001
    return _filtered(StandIn(role), names)


def _one_for(actor: Actor) -> Compiled:
    return _one_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL) if isinstance(actor, Rights) else _single(actor)


@cache
def _one_of_role(role: str, admin_clinical: bool) -> Compiled:  # noqa: ARG001
    return _single(StandIn(role))


def _single(actor: Actor) -> Compiled:
    return Compiled(Consultation.objects.visible_to(actor, SOMETIME).order_by().filter(pk=_VISIT), _VISIT, perhaps=WHO)
