"""The frequent reads: the querysets of `selectors`, with SQL that is built once per role and run prepared (`common.prepared`).

Which patients a user may know of is `Patient.objects.visible_to` here too. It is built for a placeholder of the role, whose id
and instant are slots; each read binds the user's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Coalesce

from apps.access.actor import SYSTEM, Actor
from apps.accounts.models import RolePermissions
from apps.common import clock
from apps.common.prepared import PreparedQuery, SqlFragment
from apps.patients.models import Patient, PatientQuerySet

LIST_COLUMNS = ("id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active")

# Slots: parameters that each read binds.
ACTOR_ID, NOW = UUID(int=1), datetime(1, 1, 2, tzinfo=UTC)
_PATIENT, _SEQ, _SEQS = UUID(int=2), 2**62 + 2, [2**62 + 3]


@dataclass(frozen=True)
class PatientQueries:
    """The prepared reads of one actor."""

    _role: "_RoleQueries"
    _actor_values: tuple[UUID | None, datetime]

    def page(self, status: str, from_seq: int, skip: int, limit: int) -> list[dict[str, Any]]:
        """Returns rows of a list from a `seq` downwards, with an offset, and their `seq`."""
        return self._role.pages[status].dicts(from_seq, *self._actor_values, limit=limit, offset=skip)

    def rows(self, seqs: Sequence[int]) -> list[dict[str, Any]]:
        """Returns the rows of these patients, unordered, with their `seq`, and with the `newest` one."""
        return self._role.rows.dicts(list(seqs), *self._actor_values)

    def one(self, patient_id: UUID) -> Patient | None:
        """Returns the patient, also by the id of a record that was merged into it."""
        rows: list[Patient] = self._role.one.instances(patient_id, *self._actor_values)
        return rows[0] if rows else None

    def get_for_update(self, patient_id: UUID) -> list[Patient]:
        """The same, with its row locked until the transaction ends; empty if there is none."""
        return self._role.get_for_update.instances(patient_id, *self._actor_values)

    def hidden(self) -> SqlFragment | None:
        """Returns the `seq` of the restricted charts that are closed to the actor, as a statement."""
        return self._role.hidden.statement(*self._actor_values)

    def hidden_seqs(self) -> list[int]:
        """The same as values. Few; none for the system."""
        return [row["seq"] for row in self._role.hidden.dicts(*self._actor_values)]


def of(actor: Actor) -> PatientQueries:
    """Returns the reads of this actor."""
    if actor is SYSTEM:
        role = _system_queries()
    elif isinstance(actor, RolePermissions):
        role = _role_queries(actor.role, settings.HIMS_ADMIN_CLINICAL)
    else:  # it decides by itself what it may
        role = _RoleQueries(actor)
    return PatientQueries(role, (actor.id, clock.now()))  # type: ignore[attr-defined]


def surviving_id(patient_id: UUID) -> Coalesce:
    """Returns a query expression: the id itself, or that of the record it was merged into. One step is enough: merges keep it
    so."""
    led_to = Patient.objects.filter(pk=patient_id).values("merged_into")
    return Coalesce(Subquery(led_to), Value(patient_id, output_field=UUIDField()))


class RolePlaceholder(RolePermissions):
    """An actor of a role whose id is a slot."""

    id = ACTOR_ID

    def __init__(self, role: str) -> None:
        self.role = role


class _RoleQueries:
    """The reads of a role, each built on first use. The order of the slots is: the read's own, then actor and time."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    @property
    def _visible(self) -> PatientQuerySet:
        return Patient.objects.visible_to(self._actor, NOW).order_by()

    @cached_property
    def pages(self) -> dict[str, PreparedQuery]:
        page_rows = self._visible.unmerged().filter(seq__lte=_SEQ).order_by("-seq").values("seq", *LIST_COLUMNS)
        lists = {status: page_rows.filter(is_active=status == "active") for status in ("active", "inactive")}
        return {status: _prepared(rows, _SEQ) for status, rows in (lists | {"listed": page_rows}).items()}

    @cached_property
    def rows(self) -> PreparedQuery:
        patients = self._visible.unmerged().extra(where=["patients_patient.seq = ANY(%s)"], params=[_SEQS])
        newest = Subquery(Patient.objects.order_by("-seq").values("seq")[:1])
        return _prepared(patients.annotate(newest=newest).values("seq", *LIST_COLUMNS, "newest"), _SEQS)

    @cached_property
    def one(self) -> PreparedQuery:
        return _prepared(self._visible.filter(pk=surviving_id(_PATIENT)), _PATIENT)

    @cached_property
    def get_for_update(self) -> PreparedQuery:
        return _prepared(self._visible.filter(pk=surviving_id(_PATIENT)).select_for_update(), _PATIENT)

    @cached_property
    def hidden(self) -> PreparedQuery:
        return _prepared(Patient.objects.hidden_from(self._actor, NOW).order_by().values("seq"))


def _prepared(rows: QuerySet, *slots: Any) -> PreparedQuery:
    return PreparedQuery(rows, *slots, optional=(ACTOR_ID, NOW))


@cache
def _role_queries(role: str, admin_clinical: bool) -> _RoleQueries:  # noqa: ARG001  # `may` reads the setting itself
    return _RoleQueries(RolePlaceholder(role))


@cache
def _system_queries() -> _RoleQueries:
    return _RoleQueries(SYSTEM)
