"""Statements that write two rows of a consultation, handwritten and prepared: a round trip costs more CPU than a row."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model

from apps.common import prepared
from apps.consultations.models import Consultation, ConsultationStatusChange, StepSave


def _insert(model: type[Model], fields: Sequence[Field[Any, Any]]) -> str:
    columns = ", ".join(str(field.column) for field in fields)
    return f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"


_CONSULTATION: Sequence[Field[Any, Any]] = Consultation._meta.concrete_fields
_CHANGE: Sequence[Field[Any, Any]] = [field for field in ConsultationStatusChange._meta.concrete_fields if not field.primary_key]
_ADD = f"WITH added AS ({_insert(Consultation, _CONSULTATION)}) {_insert(ConsultationStatusChange, _CHANGE)}"

_SAVE: Sequence[Field[Any, Any]] = [field for field in StepSave._meta.concrete_fields if not field.primary_key]
_FOLLOWS = ("guidance", "current_step", "version", "updated_at", "ready_at", "ready_by")  # from a save
_UPDATED: Sequence[Field[Any, Any]] = [field for field in _CONSULTATION if field.name in _FOLLOWS]
_STORE = f"""
WITH saved AS ({_insert(StepSave, _SAVE)} RETURNING id)
UPDATE consultations_consultation SET {", ".join(f"{field.column} = %s" for field in _UPDATED)}
WHERE id = %s RETURNING (SELECT id FROM saved)
"""


def add_consultation(row: Consultation, change: ConsultationStatusChange) -> None:
    """Inserts a consultation and the first row of its history."""
    with prepared.cursor() as cursor:
        cursor.execute(_ADD, [*_values(row, _CONSULTATION), *_values(change, _CHANGE)])
    row._state.adding = False


def store_step(save: StepSave, row: Consultation) -> None:
    """Inserts the save of a step, and writes to its consultation what follows from it."""
    with prepared.cursor() as cursor:
        cursor.execute(_STORE, [*_values(save, _SAVE), *_values(row, _UPDATED), row.pk])
        (save.pk,) = cursor.fetchone()
    save._state.adding = False


def _values(row: Model, fields: Sequence[Field[Any, Any]]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
