"""The prepared reads of patients: the querysets that `selectors` needs most, their SQL made once per role (`rest.scoped_list`).

Which patients an actor may see is `Patient.objects.visible_to`, here as everywhere. The list is no `ScopedList`: its order is the
number `seq`, and blocks of `seq` lead to a far page (`sql`).
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Subquery, UUIDField, Value
from django.db.models.functions import Coalesce

from apps.access.actor import Actor
from apps.common.prepared import NOW, PreparedQuery, Slot, SqlFragment
from apps.patients.models import Patient, PatientQuerySet
from apps.rest.scoped_list import actor_values, per_role

LIST_COLUMNS = ("id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active")


def surviving_id(patient_id: UUID | Slot) -> Coalesce:
    """Returns, as a value for queries, the id itself or that of the record it was merged into. A merge is one step long."""
    merged_into = Patient.objects.filter(pk=patient_id).values("merged_into")
    same = patient_id if isinstance(patient_id, Slot) else Value(patient_id, output_field=UUIDField())
    return Coalesce(Subquery(merged_into), same)


def listed_patient(patient_id: UUID | None, rows_of: Iterable[UUID]) -> UUID | None:
    """Returns the patient that a list was filtered by, for the audit log; of a merged record, the survivor.

    `rows_of` are the patients of the rows. The rows of a filtered list are all the survivor's, so only an empty list costs a
    statement. None for a list of all patients, and for an unknown id.
    """
    if patient_id is None:
        return None
    survivors = Patient.objects.filter(pk=patient_id).order_by().values_list(Coalesce("merged_into", "pk"), flat=True)
    return next(iter(rows_of), None) or survivors.first()


def page(actor: Actor, status: str, from_seq: int, skip: int, limit: int) -> list[dict[str, Any]]:
    """Returns rows of a list (listed, active, inactive) from a `seq` downwards after some to skip, with their `seq`."""
    return _page(actor, status).dicts(from_seq=from_seq, **actor_values(actor), limit=limit, offset=skip)


def rows(actor: Actor, seqs: Sequence[int]) -> list[dict[str, Any]]:
    """Returns the rows of these patients, in no order, with their `seq` and with the `newest` of all."""
    return _rows(actor).dicts(seqs=list(seqs), **actor_values(actor))


def one(actor: Actor, patient_id: UUID) -> Patient | None:
    """Returns the patient, also by the id of a record that was merged into it; None where the actor may not see it."""
    return next(iter(_one(actor).instances(patient_id=patient_id, **actor_values(actor))), None)


def get_for_update(actor: Actor, patient_id: UUID, *, skip_locked: bool = False) -> list[Patient]:
    """Returns the same, its row locked until the transaction ends; empty where there is none.

    `skip_locked`: empty too where another transaction has locked it, instead of waiting.
    """
    return _get_for_update(actor, skip_locked).instances(patient_id=patient_id, **actor_values(actor))


def hidden(actor: Actor) -> SqlFragment | None:
    """Returns a statement of the `seq` of the restricted charts that the actor may not see; None for the system."""
    return _hidden(actor).statement(**actor_values(actor))


def hidden_seqs(actor: Actor) -> list[int]:
    """Returns the same, looked up. Few; none for the system."""
    return [row["seq"] for row in _hidden(actor).dicts(**actor_values(actor))]


def _visible(actor: Actor) -> PatientQuerySet:
    return Patient.objects.visible_to(actor, NOW).order_by()


@per_role
def _page(actor: Actor, status: str) -> PreparedQuery:
    listed = _visible(actor).unmerged().filter(seq__lte=Slot("from_seq")).order_by("-seq").values("seq", *LIST_COLUMNS)
    return PreparedQuery(listed if status == "listed" else listed.filter(is_active=status == "active"))


@per_role
def _rows(actor: Actor) -> PreparedQuery:
    patients = _visible(actor).unmerged().extra(where=["patients_patient.seq = ANY(%s)"], params=[Slot("seqs")])
    newest = Subquery(Patient.objects.order_by("-seq").values("seq")[:1])
    return PreparedQuery(patients.annotate(newest=newest).values("seq", *LIST_COLUMNS, "newest"))


@per_role
def _one(actor: Actor) -> PreparedQuery:
    return PreparedQuery(_visible(actor).filter(pk=surviving_id(Slot("patient_id", UUIDField()))))


@per_role
def _get_for_update(actor: Actor, skip_locked: bool) -> PreparedQuery:
    rows = _visible(actor).filter(pk=surviving_id(Slot("patient_id", UUIDField())))
    return PreparedQuery(rows.select_for_update(skip_locked=skip_locked))


@per_role
def _hidden(actor: Actor) -> PreparedQuery:
    return PreparedQuery(Patient.objects.hidden_from(actor, NOW).order_by().values("seq"))
