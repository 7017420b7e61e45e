"""Maps rows to a registration and chart entries. Pure: it reads and writes nothing.

A row that cannot be represented truthfully as a chart entry raises NotImportable with the reason, and goes to the report.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.common.text import LooksBlank, clean_line
from apps.interop.synthea import facts
from apps.interop.synthea.reader import Row, moment
from apps.patients.chart.dates import PartialDate, Precision
from apps.patients.chart.entry_types import CodeSystem, EntryType
from apps.patients.models import Patient
from apps.patients.services import NewEntry, Registration

Cells = Mapping[str, str]

SYSTEM = "synthea"
MRN_SYSTEM = "synthea-mrn"
CLAIMS_STAY = "Claims of another system are not imported: amounts owed stay where they were billed."
_LENGTHS = {"display": 400, "code": 40, "unit": 40}
_NUMBER_MOST = 100  # characters of an identifier
_TEXTS = {
    "first_name": "given",
    "middle_name": "middle",
    "last_name": "family",
    "language": "language",
    "phone": "phone",
    "street": "address",
    "city": "city",
    "state": "state",
    "zip": "zip",
}
_LONGEST = {name: int(Patient._meta.get_field(name).max_length or 0) for name in _TEXTS}  # type: ignore[union-attr]  # they are text columns
_DAY = timedelta(days=1)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,8})?", re.ASCII)
_TIMES = re.compile(r"(\d{1,4})x/(\d{1,4})([hd])", re.ASCII)
_EVERY = {"h": "an hour", "d": "a day"}
_UNITS = {"h": "hours", "d": "days"}


class NotImportable(Exception):
    """The row does not fit into a chart; the message gives the reason."""


@dataclass(frozen=True)
class History:
    """The parts of a patient's other rows that are needed to map one of them, and the time zone in which a day begins."""

    born: date
    zone: ZoneInfo
    visits: Mapping[str, Cells]
    conditions: Mapping[str, str]

    @classmethod
    def of(cls, patient: Row, rows: Iterable[Row], zone: ZoneInfo) -> "History":
        """Raises ValueError if the patient's birth is not a date (the reader has checked it)."""
        visits, conditions = {}, {}
        for row in rows:
            if row.sheet == "encounters":
                visits[row.cells["id"]] = row.cells
            elif row.sheet == "conditions":
                conditions[row.cells["id"]] = clean(row.cells["display"])
        return cls(birth_of(patient).first, zone, visits, conditions)

    def moment(self, text: str) -> datetime | None:
        """Returns the point in time; a bare day, month or year begins at midnight in the clinic."""
        if not text:
            return None
        value = moment(text)
        return value if isinstance(value, datetime) else self.midnight(value.first)

    def when(self, text: str, name: str) -> dict[str, Any]:
        """Returns the columns `<name>_at` and `<name>_on` of a chart entry: an instant, or a date as exactly as the source has
        it."""
        value = moment(text) if text else None
        if isinstance(value, PartialDate):
            return {f"{name}_at": None, f"{name}_on": str(value)}
        return {f"{name}_at": value, f"{name}_on": ""}

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


def birth_of(patient: Row) -> PartialDate:
    """Returns the patient's birth, as exactly as the source has it."""
    value = moment(patient.cells["birth_date"])
    if not isinstance(value, PartialDate):
        raise ValueError("a birth is a date")
    return value


def registration(patient: Row, zone: ZoneInfo) -> Registration:
    """Returns what the source knows of the person and HIMS can store. HIMS issues the MRN. Raises NotImportable."""
    cells, born = patient.cells, birth_of(patient)
    texts: dict[str, Any] = {ours: clean(cells.get(theirs, "")) for ours, theirs in _TEXTS.items()}
    for name, text in texts.items():
        if len(text) > _LONGEST[name]:
            raise NotImportable(f"{_TEXTS[name]} has more than {_LONGEST[name]} characters.")
    return Registration(
        **texts | {"state": facts.state_code(texts["state"])},
        date_of_birth=born.first,
        date_of_birth_precision=born.precision,
        gender=_gender(cells["gender"]),
        deceased_at=_death(cells["death_date"], zone),
    )


def _gender(written: str) -> str:
    word = clean(written).lower()
    if word not in facts.GENDER:
        raise NotImportable(f"The gender {written!r} is unknown.")
    return facts.GENDER[word]


def _death(written: str, zone: ZoneInfo) -> datetime | None:
    value = moment(written) if written else None
    if not isinstance(value, PartialDate):
        return value
    if value.precision != Precision.DAY:
        raise NotImportable(f"The death is known only as {value}, and a day is required.")
    return datetime.combine(value.first, time(), zone)


def identifiers(patient: Row) -> dict[str, str]:
    """Returns the patient's numbers in other systems, in addition to the id of the row. Raises NotImportable."""
    for name in ("id", "mrn"):
        if len(patient.cells[name]) > _NUMBER_MOST:
            raise NotImportable(f"{name} has more than {_NUMBER_MOST} characters.")
    return {MRN_SYSTEM: patient.cells["mrn"]} if patient.cells["mrn"] else {}


def entry(row: Row, history: History) -> NewEntry:
    """Returns the row as a chart entry. Raises NotImportable."""
    try:
        values = _READ_AS[row.sheet](row.cells, history)
    except LooksBlank:
        raise NotImportable("A text contains only invisible characters.") from None
    for name, most in _LENGTHS.items():
        if len(values.get(name, "")) > most:
            raise NotImportable(f"{name} has more than {most} characters.")
    if values["occurred_at"] is None and not values["occurred_on"]:
        raise NotImportable("It has no date.")
    return NewEntry(source_ref=row.ref, **values)


def clean(text: str) -> str:
    """Returns the text on one line, without invisible characters."""
    return clean_line(text)


def dosing(written: str) -> str:
    """Returns the source's shorthand as text: 2x/1d is "twice a day". Anything else as written."""
    match = _TIMES.fullmatch(written)
    if not match:
        return written
    count, every, unit = int(match[1]), int(match[2]), match[3]
    often = {1: "once", 2: "twice"}.get(count, f"{count} times")
    return f"{often} {_EVERY[unit]}" if every == 1 else f"{often} every {every} {_UNITS[unit]}"


def _allergy(cells: Cells, history: History) -> dict[str, Any]:
    """Maps an allergy. Its date never excludes it: one from before the birth is entered at the birth, with a note."""
    noted, dated, note = history.moment(cells["recorded"]), history.when(cells["recorded"], "occurred"), ""
    if noted and noted.date() < history.born - _DAY:
        dated = {"occurred_at": history.midnight(history.born), "occurred_on": ""}
        note = f"The source dates this {cells['recorded']}, before the birth."
    category = "environment" if cells["code"] in facts.ENVIRONMENTAL_ALLERGIES else cells["category"]
    detail = {"category": category, "criticality": cells["criticality"], "reaction": clean(cells["reaction"]), "note": note}
    detail["kind"] = cells.get("kind", "")
    system = CodeSystem.RXNORM if clean(cells.get("system", "")).lower() == "rxnorm" else CodeSystem.SNOMED_CT
    return _coded(EntryType.ALLERGY, system, cells["code"], cells["display"]) | {
        "status": _status(facts.ALLERGY_STATUS, cells["clinical_status"]),
        **dated,
        **history.when(cells.get("ended", ""), "ended"),
        "detail": detail,
    }


def _condition(cells: Cells, history: History) -> dict[str, Any]:
    """Maps a condition. An ended one is not active (FHIR con-4), whatever the source's status; the contradiction is noted."""
    status, note = _status(facts.CONDITION_STATUS, cells["clinical_status"]), ""
    if cells["abatement"] and status == "active":
        status, note = "resolved", "The source marks it as active and gives an end."
    return _coded(EntryType.DIAGNOSIS, CodeSystem.SNOMED_CT, cells["code"], cells["display"]) | {
        "status": status,
        **history.when(cells["onset"], "occurred"),
        **history.when(cells["abatement"], "ended"),
        "detail": {"note": note},
    }


def _medication(cells: Cells, history: History) -> dict[str, Any]:
    name = facts.DRUG_NAMES.get(cells["rxnorm"], cells["display"])
    reason = history.conditions.get(cells["reason"], cells["reason"])
    return _coded(EntryType.MEDICATION, CodeSystem.RXNORM, cells["rxnorm"], name) | {
        "status": _status(facts.MEDICATION_STATUS, cells["status"]),
        **history.when(cells["authored"], "occurred"),
        **history.when(cells.get("ended", ""), "ended"),
        "detail": {"frequency": dosing(cells["dosage"]), "reason": reason},
    }


def _immunization(cells: Cells, history: History) -> dict[str, Any]:
    """Maps an immunization. One given at an encounter has the encounter's date; half of the source shifted the encounters but not
    these dates."""
    given, dated, note = history.moment(cells["date"]), history.when(cells["date"], "occurred"), ""
    visit = history.visits.get(cells["encounter"])
    if given and visit and not _during(visit, given, history):
        dated, note = history.when(visit["start"], "occurred"), f"Dated by the visit; the source says {cells['date']}."
    return _coded(EntryType.IMMUNIZATION, CodeSystem.CVX, cells["cvx"], cells["display"]) | {
        "status": _status(facts.IMMUNIZATION_STATUS, cells["status"]),
        **dated,
        "detail": {"note": note},
    }


def _procedure(cells: Cells, history: History) -> dict[str, Any]:
    return _coded(EntryType.PROCEDURE, CodeSystem.SNOMED_CT, cells["code"], cells["display"]) | {
        "status": "completed",
        **history.when(cells["start"], "occurred"),
        **history.when(cells["end"], "ended"),
    }


def _observation(cells: Cells, history: History) -> dict[str, Any]:
    """Maps an observation to a laboratory result or a vital sign; any other becomes a note that keeps its LOINC code."""
    kind = facts.OBSERVATION_TYPE.get(cells["category"], EntryType.NOTE)
    value = clean(cells["value"])
    values = _coded(kind, CodeSystem.LOINC, cells["loinc"], cells["display"]) | history.when(cells["effective"], "occurred")
    if kind == EntryType.NOTE:
        title = facts.NOTE_TITLE.get(cells["category"], cells["category"])
        text = _with_code(f"{value} {cells['unit']}".strip(), cells["value_code"])
        return values | {"detail": {"title": title, "text": text}}
    if _NUMBER.fullmatch(value):
        return values | {"value": Decimal(value), "unit": cells["unit"]}
    return values | {"unit": cells["unit"], "detail": {"value_text": _with_code(value, cells["value_code"])}}


def _visit(cells: Cells, history: History) -> dict[str, Any]:
    labelled = {
        "Reason": _with_code(clean(cells["reason"]), cells["reason_code"]),
        "Provider": clean(cells["provider"]),
        "Organization": clean(cells["organization"]),
    }
    text = "\n".join(f"{name}: {value}" for name, value in labelled.items() if value)
    return _coded(EntryType.NOTE, CodeSystem.SNOMED_CT, cells["type_code"], cells["type"]) | {
        **history.when(cells["start"], "occurred"),
        **history.when(cells["end"], "ended"),
        "detail": {"title": facts.VISIT_TITLE.get(cells["class"], cells["class"]), "text": text},
    }


def _claim(cells: Cells, history: History) -> dict[str, Any]:  # noqa: ARG001 (as its siblings)
    raise NotImportable(CLAIMS_STAY)


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


def _coded(kind: EntryType, system: CodeSystem, code: str, display: str) -> dict[str, Any]:
    return {"type": kind, "code_system": system if code else "", "code": code, "display": clean(display)}


def _status(ours: Mapping[str, str], theirs: str) -> str:
    if theirs not in ours:
        raise NotImportable(f"The status {theirs!r} is unknown.")
    return ours[theirs]


def _with_code(text: str, snomed: str) -> str:
    return f"{text} (SNOMED CT {snomed})" if snomed else text


def _during(visit: Cells, moment: datetime, history: History) -> bool:
    start = history.moment(visit["start"])
    end = history.moment(visit["end"]) or start
    return start is None or end is None or start - _DAY <= moment <= end + _DAY
