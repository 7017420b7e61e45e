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
from apps.accounts.models import Rights
from apps.common import clock
from apps.common.prepared import Compiled, Statement
from apps.patients.models import Patient, PatientQuerySet

LIST_COLUMNS = ("id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active")

# Blanks: values that no condition of a queryset holds by itself.
SOMEBODY, SOMETIME = UUID(int=1), datetime(1, 1, 2, tzinfo=UTC)
_PATIENT, _SEQ, _SEQS = UUID(int=2), 2**62 + 2, [2**62 + 3]


@dataclass(frozen=True)
class Reads:
    """What the actor may read, ready to run."""

    _role: "_OfRole"
    _who: tuple[UUID | None, datetime]

    def page(self, status: str, from_seq: int, skip: int, limit: int) -> list[dict[str, Any]]:
        """Rows of a list from a `seq` downwards, some of them skipped, with their `seq`."""
        return self._role.pages[status].dicts(from_seq, *self._who, limit=limit, offset=skip)

    def rows(self, seqs: Sequence[int]) -> list[dict[str, Any]]:
        """The rows of these patients, in no order, with their `seq`, and with the `newest` there is."""
        return self._role.rows.dicts(list(seqs), *self._who)

    def one(self, patient_id: UUID) -> Patient | None:
        """The patient, also by the id of a record that was merged into it."""
        found: list[Patient] = self._role.one.instances(patient_id, *self._who)
        return found[0] if found else None

    def held(self, patient_id: UUID) -> list[Patient]:
        """The same, its row locked until the transaction ends; empty where there is none."""
        return self._role.held.instances(patient_id, *self._who)

    def hidden(self) -> Statement | None:
        """The `seq` of the restricted charts that are not the actor's to see, as a statement."""
        return self._role.hidden.statement(*self._who)

    def hidden_seqs(self) -> list[int]:
        """The same, looked up. Few; none for the system."""
        return [row["seq"] for row in self._role.hidden.dicts(*self._who)]


def of(actor: Actor) -> Reads:
    """What this actor reads."""
    if actor is SYSTEM:
        role = _of_the_system()
    elif isinstance(actor, Rights):
        role = _of_role(actor.role, settings.HIMS_ADMIN_CLINICAL)
    else:  # it decides by itself what it may
        role = _OfRole(actor)
    return Reads(role, (actor.id, clock.now()))  # type: ignore[attr-defined]


def standing(patient_id: UUID) -> Coalesce:
    """As a value for queries: the id itself, or that of the record it was merged into. Never further: merges keep it one step."""
    led_to = Patient.objects.filter(pk=patient_id).values("merged_into")
    return Coalesce(Subquery(led_to), Value(patient_id, output_field=UUIDField()))


class StandIn(Rights):
    """Somebody of a role, whose id is a blank."""

    id = SOMEBODY

    def __init__(self, role: str) -> None:
        self.role = role


class _OfRole:
    """The reads of a role, each made when first asked for. Blanks count as they are named: the read's own, then who and when."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    @property
    def _everybody(self) -> PatientQuerySet:
        return Patient.objects.visible_to(self._actor, SOMETIME).order_by()

    @cached_property
    def pages(self) -> dict[str, Compiled]:
        below = self._everybody.listed().filter(seq__lte=_SEQ).order_by("-seq").values("seq", *LIST_COLUMNS)
        lists = {status: below.filter(is_active=status == "active") for status in ("active", "inactive")}
        return {status: _made(rows, _SEQ) for status, rows in (lists | {"listed": below}).items()}

    @cached_property
    def rows(self) -> Compiled:
        any_of = self._everybody.listed().extra(where=["patients_patient.seq = ANY(%s)"], params=[_SEQS])
        newest = Subquery(Patient.objects.order_by("-seq").values("seq")[:1])
        return _made(any_of.annotate(newest=newest).values("seq", *LIST_COLUMNS, "newest"), _SEQS)

    @cached_property
    def one(self) -> Compiled:
        return _made(self._everybody.filter(pk=standing(_PATIENT)), _PATIENT)

    @cached_property
    def held(self) -> Compiled:
        return _made(self._everybody.filter(pk=standing(_PATIENT)).select_for_update(), _PATIENT)

    @cached_property
    def hidden(self) -> Compiled:
        return _made(Patient.objects.hidden_from(self._actor, SOMETIME).order_by().values("seq"))


def _made(rows: QuerySet, *blanks: Any) -> Compiled:
    return Compiled(rows, *blanks, perhaps=(SOMEBODY, SOMETIME))


@cache
def _of_role(role: str, admin_clinical: bool) -> _OfRole:  # noqa: ARG001  # `may` reads the setting itself
    return _OfRole(StandIn(role))


@cache
def _of_the_system() -> _OfRole:
    return _OfRole(SYSTEM)
