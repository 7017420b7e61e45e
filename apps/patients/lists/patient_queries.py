"""The hot reads: the querysets of `selectors`, their SQL made once for each role and run prepared (`common.prepared`).

Whom somebody may know of is `Patient.objects.visible_to` here as everywhere. It is asked for a stand-in of the role, whose id and
instant are blanks; each read fills in the person's own.
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

# Blanks: values that no condition of a queryset holds by itself.
ACTOR_ID, NOW = UUID(int=1), datetime(1, 1, 2, tzinfo=UTC)
_PATIENT, _SEQ, _SEQS = UUID(int=2), 2**62 + 2, [2**62 + 3]


@dataclass(frozen=True)
class PatientQueries:
    """What the actor may read, ready to run."""

    _role: "_RoleQueries"
    _actor_values: tuple[UUID | None, datetime]

    def page(self, status: str, from_seq: int, skip: int, limit: int) -> list[dict[str, Any]]:
        """Rows of a list from a `seq` downwards, some of them skipped, with their `seq`."""
        return self._role.pages[status].dicts(from_seq, *self._actor_values, limit=limit, offset=skip)

    def rows(self, seqs: Sequence[int]) -> list[dict[str, Any]]:
        """The rows of these patients, in no order, with their `seq`, and with the `newest` there is."""
        return self._role.rows.dicts(list(seqs), *self._actor_values)

    def one(self, patient_id: UUID) -> Patient | None:
        """The patient, also by the id of a record that was merged into it."""
        rows: list[Patient] = self._role.one.instances(patient_id, *self._actor_values)
        return rows[0] if rows else None

    def get_for_update(self, patient_id: UUID) -> list[Patient]:
        """The same, its row locked until the transaction ends; empty where there is none."""
        return self._role.get_for_update.instances(patient_id, *self._actor_values)

    def hidden(self) -> SqlFragment | None:
        """The `seq` of the restricted charts that are not the actor's to see, as a statement."""
        return self._role.hidden.statement(*self._actor_values)

    def hidden_seqs(self) -> list[int]:
        """The same, looked up. Few; none for the system."""
        return [row["seq"] for row in self._role.hidden.dicts(*self._actor_values)]


def of(actor: Actor) -> PatientQueries:
    """What this actor reads."""
    if actor is SYSTEM:
        role = _system_queries()
    elif isinstance(actor, RolePermissions):
        role = _role_queries(actor.role, settings.HIMS_ADMIN_CLINICAL)
    else:  # it decides by itself what it may
        role = _RoleQueries(actor)
    return PatientQueries(role, (actor.id, clock.now()))  # type: ignore[attr-defined]


def surviving_id(patient_id: UUID) -> Coalesce:
    """As a value for queries: the id itself, or that of the record it was merged into. Never further: merges keep it one step."""
    led_to = Patient.objects.filter(pk=patient_id).values("merged_into")
    return Coalesce(Subquery(led_to), Value(patient_id, output_field=UUIDField()))


class RolePlaceholder(RolePermissions):
    """Somebody of a role, whose id is a blank."""

    id = ACTOR_ID

    def __init__(self, role: str) -> None:
        self.role = role


class _RoleQueries:
    """The reads of a role, each made when first asked for. Blanks count as they are named: the read's own, then who and when."""

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
