"""From rows to a registration and chart entries. Pure: nothing is read or written here.

What cannot be told truthfully as a chart entry raises NoHome with the reason, and goes to the report.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.patients.chart import CodeSystem, EntryType
from apps.patients.services import NewEntry, Registration
from apps.patients.synthea import facts
from apps.patients.synthea.reader import Row

Cells = Mapping[str, str]

SYSTEM = "synthea"
MRN_SYSTEM = "synthea-mrn"
CLAIMS_STAY = "Claims of another system have no home here: what is owed stays where it was billed."
_LENGTHS = {"display": 400, "code": 40, "unit": 40}
_DAY = timedelta(days=1)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,8})?")
_TIMES = re.compile(r"(\d+)x/(\d+)([hd])")
_EVERY = {"h": "an hour", "d": "a day"}
_UNITS = {"h": "hours", "d": "days"}
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


class NoHome(Exception):
    """The row cannot stand in a chart; the message says why."""


@dataclass(frozen=True)
class History:
    """What is needed of a patient's other rows to read one of them, and the time zone in which a day begins."""

    born: date
    zone: ZoneInfo
    visits: Mapping[str, Cells]
    conditions: Mapping[str, str]

    @classmethod
    def of(cls, patient: Row, rows: Iterable[Row], zone: ZoneInfo) -> "History":
        visits, conditions = {}, {}
        for row in rows:
            if row.sheet == "encounters":
                visits[row.cells["id"]] = row.cells
            elif row.sheet == "conditions":
                conditions[row.cells["id"]] = clean(row.cells["display"])
        return cls(date.fromisoformat(patient.cells["birth_date"]), zone, visits, conditions)

    def moment(self, text: str) -> datetime | None:
        """The point in time; a bare day begins at midnight in the clinic."""
        if not text:
            return None
        return datetime.fromisoformat(text) if "T" in text else self.midnight(date.fromisoformat(text))

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


def registration(patient: Row, zone: ZoneInfo) -> Registration:
    """What the source knows of the person and we have a place for. The MRN is ours to issue."""
    cells = patient.cells
    return Registration(
        first_name=clean(cells["given"]),
        last_name=clean(cells["family"]),
        date_of_birth=date.fromisoformat(cells["birth_date"]),
        gender=cells["gender"] or "unknown",
        language=cells["language"],
        deceased_at=History.of(patient, (), zone).moment(cells["death_date"]),
        phone=clean(cells["phone"]),
        street=clean(cells["address"]),
        city=clean(cells["city"]),
        state=facts.state_code(clean(cells["state"])),
        zip=cells["zip"],
    )


def identifiers(patient: Row) -> dict[str, str]:
    """The numbers the patient has elsewhere, beside the id of his row."""
    return {MRN_SYSTEM: patient.cells["mrn"]} if patient.cells["mrn"] else {}


def entry(row: Row, history: History) -> NewEntry:
    """The row as a chart entry. Raises NoHome."""
    values = _READ_AS[row.sheet](row.cells, history)
    for name, most in _LENGTHS.items():
        if len(values.get(name, "")) > most:
            raise NoHome(f"{name} has more than {most} characters.")
    if values["occurred_at"] is None:
        raise NoHome("It has no date.")
    return NewEntry(source_ref=row.ref, **values)


def clean(text: str) -> str:
    """The text without invisible characters, and with single spaces."""
    return " ".join(text.translate(_INVISIBLE).split())


def dosing(written: str) -> str:
    """The source's shorthand in words: 2x/1d is "twice a day". Anything else as written."""
    match = _TIMES.fullmatch(written)
    if not match:
        return written
    count, every, unit = int(match[1]), int(match[2]), match[3]
    often = {1: "once", 2: "twice"}.get(count, f"{count} times")
    return f"{often} {_EVERY[unit]}" if every == 1 else f"{often} every {every} {_UNITS[unit]}"


def _allergy(cells: Cells, history: History) -> dict[str, Any]:
    """An allergy is never left out for its date: one from before the birth is entered at the birth, and says so."""
    noted, note = history.moment(cells["recorded"]), ""
    if noted and noted.date() < history.born - _DAY:
        noted, note = history.midnight(history.born), f"The source dates this {cells['recorded']}, before the birth."
    category = "environment" if cells["code"] in facts.ENVIRONMENTAL_ALLERGIES else cells["category"]
    detail = {"category": category, "criticality": cells["criticality"], "reaction": clean(cells["reaction"]), "note": note}
    return _said(EntryType.ALLERGY, CodeSystem.SNOMED_CT, cells["code"], cells["display"]) | {
        "status": _status(facts.ALLERGY_STATUS, cells["clinical_status"]),
        "occurred_at": noted,
        "detail": detail,
    }


def _condition(cells: Cells, history: History) -> dict[str, Any]:
    """What has ended is not active (FHIR con-4), whatever the source's status says; the contradiction is noted."""
    status, note = _status(facts.CONDITION_STATUS, cells["clinical_status"]), ""
    if cells["abatement"] and status == "active":
        status, note = "resolved", "The source says active and gives an end."
    return _said(EntryType.DIAGNOSIS, CodeSystem.SNOMED_CT, cells["code"], cells["display"]) | {
        "status": status,
        "occurred_at": history.moment(cells["onset"]),
        "ended_at": history.moment(cells["abatement"]),
        "detail": {"note": note},
    }


def _medication(cells: Cells, history: History) -> dict[str, Any]:
    name = facts.DRUG_NAMES.get(cells["rxnorm"], cells["display"])
    reason = history.conditions.get(cells["reason"], cells["reason"])
    return _said(EntryType.MEDICATION, CodeSystem.RXNORM, cells["rxnorm"], name) | {
        "status": _status(facts.MEDICATION_STATUS, cells["status"]),
        "occurred_at": history.moment(cells["authored"]),
        "detail": {"frequency": dosing(cells["dosage"]), "reason": reason},
    }


def _immunization(cells: Cells, history: History) -> dict[str, Any]:
    """A shot given at a visit was given on its day; one half of the source shifted the visits and not these dates."""
    given, note = history.moment(cells["date"]), ""
    visit = history.visits.get(cells["encounter"])
    if given and visit and not _during(visit, given, history):
        given, note = history.moment(visit["start"]), f"Dated by the visit; the source says {cells['date']}."
    return _said(EntryType.IMMUNIZATION, CodeSystem.CVX, cells["cvx"], cells["display"]) | {
        "status": _status(facts.IMMUNIZATION_STATUS, cells["status"]),
        "occurred_at": given,
        "detail": {"note": note},
    }


def _procedure(cells: Cells, history: History) -> dict[str, Any]:
    return _said(EntryType.PROCEDURE, CodeSystem.SNOMED_CT, cells["code"], cells["display"]) | {
        "status": "completed",
        "occurred_at": history.moment(cells["start"]),
        "ended_at": history.moment(cells["end"]),
    }


def _observation(cells: Cells, history: History) -> dict[str, Any]:
    """A laboratory result or a vital sign; whatever else was observed is a note that keeps its LOINC code."""
    kind = facts.OBSERVATION_TYPE.get(cells["category"], EntryType.NOTE)
    value = clean(cells["value"])
    said = _said(kind, CodeSystem.LOINC, cells["loinc"], cells["display"]) | {
        "occurred_at": history.moment(cells["effective"]),
    }
    if kind == EntryType.NOTE:
        title = facts.NOTE_TITLE.get(cells["category"], cells["category"])
        text = _with_code(f"{value} {cells['unit']}".strip(), cells["value_code"])
        return said | {"detail": {"title": title, "text": text}}
    if _NUMBER.fullmatch(value):
        return said | {"value": Decimal(value), "unit": cells["unit"]}
    return said | {"unit": cells["unit"], "detail": {"value_text": _with_code(value, cells["value_code"])}}


def _visit(cells: Cells, history: History) -> dict[str, Any]:
    facts_told = {
        "Reason": _with_code(clean(cells["reason"]), cells["reason_code"]),
        "Provider": clean(cells["provider"]),
        "Organization": clean(cells["organization"]),
    }
    text = "\n".join(f"{name}: {told}" for name, told in facts_told.items() if told)
    return _said(EntryType.NOTE, CodeSystem.SNOMED_CT, cells["type_code"], cells["type"]) | {
        "occurred_at": history.moment(cells["start"]),
        "ended_at": history.moment(cells["end"]),
        "detail": {"title": facts.VISIT_TITLE.get(cells["class"], cells["class"]), "text": text},
    }


def _claim(cells: Cells, history: History) -> dict[str, Any]:  # noqa: ARG001 (as its siblings)
    raise NoHome(CLAIMS_STAY)


_READ_AS: Mapping[str, Callable[[Cells, History], dict[str, Any]]] = {
    "encounters": _visit,
    "allergies": _allergy,
    "conditions": _condition,
    "medications": _medication,
    "immunizations": _immunization,
    "procedures": _procedure,
    "observations": _observation,
    "claims": _claim,
}


def _said(kind: EntryType, system: CodeSystem, code: str, display: str) -> dict[str, Any]:
    return {"type": kind, "code_system": system if code else "", "code": code, "display": clean(display)}


def _status(ours: Mapping[str, str], theirs: str) -> str:
    if theirs not in ours:
        raise NoHome(f"The status {theirs!r} is not one we know.")
    return ours[theirs]


def _with_code(text: str, snomed: str) -> str:
    return f"{text} (SNOMED CT {snomed})" if snomed else text


def _during(visit: Cells, moment: datetime, history: History) -> bool:
    start = history.moment(visit["start"])
    end = history.moment(visit["end"]) or start
    return start is None or end is None or start - _DAY <= moment <= end + _DAY
