"""A patient with a long chart and one with a short chart, the same in each database, removed afterwards."""

# ruff: noqa: S608 (table names are our own)

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from apps.patients.chart import vitals
from apps.patients.chart.entry_types import STATUSES, EntryType
from apps.patients.models import ChartEntry, Patient
from benchmarks.load import send
from benchmarks.patient_tables import columns, text

LONG, SHORT = UUID(int=0xBE9C_0001), UUID(int=0xBE9C_0002)
ENTRIES = {LONG: 2_000, SHORT: 20}
_VITALS = 12  # of twenty entries: what ten years of visits leave behind
_OTHERS = (  # and the other eight
    (EntryType.LAB_RESULT, "LOINC", "2345-7", "Glucose", "final"),
    (EntryType.LAB_RESULT, "LOINC", "2160-0", "Creatinine", "final"),
    (EntryType.LAB_RESULT, "LOINC", "718-7", "Hemoglobin", "final"),
    (EntryType.DIAGNOSIS, "ICD-10-CM", "J06.9", "Acute upper respiratory infection", "resolved"),
    (EntryType.MEDICATION, "RxNorm", "314076", "Lisinopril 10 MG Oral Tablet", "active"),
    (EntryType.NOTE, "", "", "Telephone call", "final"),
    (EntryType.PROCEDURE, "CPT", "93000", "Electrocardiogram", "completed"),
    (EntryType.ALLERGY, "RxNorm", "7980", "Penicillin", "active"),
)
_PATIENTS, _CHARTS = Patient._meta.db_table, ChartEntry._meta.db_table
_COLUMNS = columns(ChartEntry)
_FROM, _STEP = datetime(2016, 1, 4, 9, tzinfo=UTC), timedelta(hours=47)


@contextmanager
def kept(*addresses: str) -> Iterator[None]:
    """Keeps both patients in these databases until the end of the block."""
    for address in addresses:
        _remove(address)
        _add(address)
    try:
        yield
    finally:
        for address in addresses:
            _remove(address)


def _add(address: str) -> None:
    """The patients are copies of a loaded one; the chart entries of a year come evenly."""
    row = f"jsonb_populate_record(NULL::{_PATIENTS}, to_jsonb(p) || %s::jsonb)"
    copied = f"INSERT INTO {_PATIENTS} SELECT ({row}).* FROM {_PATIENTS} p "
    copied += "WHERE is_active AND merged_into_id IS NULL AND NOT restricted ORDER BY seq DESC LIMIT 1"
    with psycopg.connect(address) as database:
        for number, (patient, entries) in enumerate(ENTRIES.items()):
            database.execute(copied, [json.dumps({"id": str(patient), "mrn": f"BENCH{number}", "seq": -1 - number})])
            send(database, _CHARTS, _COLUMNS, (_line(patient, place) for place in range(entries)))
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(f"VACUUM (ANALYZE) {_CHARTS}")


def _line(patient: UUID, place: int) -> str:
    """The entry at this place of a chart, as a line of COPY."""
    row: dict[str, Any] = {"id": UUID(int=patient.int << 32 | place), "patient_id": patient, "source": "manual"}
    row |= {"occurred_at": _FROM + place * _STEP, "recorded_at": _FROM + place * _STEP, "detail": {}}
    row |= _measured(place) if place % 20 < _VITALS else _noted(place)
    return "\t".join([text(row.get(name, default)) for name, default in _COLUMNS.items()]) + "\n"


def _measured(place: int) -> dict[str, Any]:
    code, display, unit = list(vitals.LOINC.values())[place % len(vitals.LOINC)]
    row = {"type": EntryType.VITAL_SIGN, "code_system": "LOINC", "code": code, "display": display}
    return row | {"value": 60 + place % 40, "unit": unit, "status": STATUSES[EntryType.VITAL_SIGN][0]}


def _noted(place: int) -> dict[str, Any]:
    kind, system, code, display, status = _OTHERS[place % 20 - _VITALS]
    row: dict[str, Any] = {"type": kind, "code_system": system, "code": code, "display": display, "status": status}
    return row | ({"value": 5 + place % 9, "unit": "mg/dL"} if kind is EntryType.LAB_RESULT else {})


def _remove(address: str) -> None:
    both = [list(ENTRIES)]
    with psycopg.connect(address) as database:
        database.execute(f"DELETE FROM {_CHARTS} WHERE patient_id = ANY(%s)", both)
        database.execute(f"DELETE FROM {_PATIENTS} WHERE id = ANY(%s)", both)
