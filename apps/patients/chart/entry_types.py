"""The content of a chart: the eight kinds of entry, their statuses and their typed details. Pure values, no table.

An entry has a code (what), a status, when it happened, who recorded it, and details that differ by kind. Statuses follow FHIR R4
where it defines them (AllergyIntolerance, MedicationStatement, Condition, Procedure, Immunization, Observation).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, get_args, get_type_hints
from typing import Literal as L


class EntryType(StrEnum):
    ALLERGY = "allergy"
    MEDICATION = "medication"
    DIAGNOSIS = "diagnosis"
    PROCEDURE = "procedure"
    IMMUNIZATION = "immunization"
    LAB_RESULT = "lab_result"
    VITAL_SIGN = "vital_sign"
    NOTE = "note"


ENTRY_TYPES = tuple(kind.value for kind in EntryType)


class CodeSystem(StrEnum):
    ICD_10_CM = "ICD-10-CM"
    SNOMED_CT = "SNOMED-CT"
    RXNORM = "RxNorm"
    LOINC = "LOINC"
    CVX = "CVX"
    CPT = "CPT"
    HCPCS = "HCPCS"
    LOCAL = "local"


CODE_SYSTEMS = tuple(system.value for system in CodeSystem)

ENTERED_IN_ERROR = "entered_in_error"
ACTIVE = "active"
# Of a diagnosis: made at a signed consultation while the same code was on the problem list. Set by the service, not by a caller.
ENCOUNTER = "encounter"
STATUSES: dict[EntryType, tuple[str, ...]] = {
    EntryType.ALLERGY: ("active", "inactive", "resolved"),
    EntryType.MEDICATION: ("active", "completed", "stopped", "on_hold"),
    EntryType.DIAGNOSIS: ("active", "inactive", "resolved", "remission"),
    EntryType.PROCEDURE: ("completed", "in_progress", "not_done"),
    EntryType.IMMUNIZATION: ("completed", "not_done"),
    EntryType.LAB_RESULT: ("final", "preliminary", "amended"),
    EntryType.VITAL_SIGN: ("final", "amended"),
    EntryType.NOTE: ("final",),
}
MEASURED = (EntryType.LAB_RESULT, EntryType.VITAL_SIGN)

# SNOMED CT's finding for "asked, and there is none", as the International Patient Summary requires.
NO_KNOWN_ALLERGY = ("SNOMED-CT", "716186003", "No known allergy")


@dataclass(frozen=True, kw_only=True)
class AllergyDetail:
    category: L["", "medication", "food", "environment", "biologic", "other"] = ""
    kind: L["", "allergy", "intolerance"] = ""
    criticality: L["", "low", "high", "unable_to_assess"] = ""
    severity: L["", "mild", "moderate", "severe"] = ""
    certainty: L["", "confirmed", "unconfirmed"] = ""
    reaction: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class MedicationDetail:
    dosage: str = ""
    frequency: str = ""
    duration: str = ""
    route: str = ""
    instructions: str = ""
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DiagnosisDetail:
    severity: L["", "mild", "moderate", "severe"] = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ProcedureDetail:
    performer: str = ""
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ImmunizationDetail:
    dose_number: int | None = None
    lot_number: str = ""
    site: str = ""
    manufacturer: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class MeasurementDetail:
    """Of a laboratory result or a vital sign; the entry itself contains the number and its unit."""

    value_text: str = ""
    reference_range: str = ""
    flag: L["", "normal", "low", "high", "critical_low", "critical_high", "abnormal"] = ""
    interpretation: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteDetail:
    title: str = ""
    text: str = ""


Detail = (
    AllergyDetail | MedicationDetail | DiagnosisDetail | ProcedureDetail | ImmunizationDetail | MeasurementDetail | NoteDetail
)

DETAILS: dict[EntryType, type[Detail]] = {
    EntryType.ALLERGY: AllergyDetail,
    EntryType.MEDICATION: MedicationDetail,
    EntryType.DIAGNOSIS: DiagnosisDetail,
    EntryType.PROCEDURE: ProcedureDetail,
    EntryType.IMMUNIZATION: ImmunizationDetail,
    EntryType.LAB_RESULT: MeasurementDetail,
    EntryType.VITAL_SIGN: MeasurementDetail,
    EntryType.NOTE: NoteDetail,
}
TEXT_MAX = 4_000


class BadDetail(ValueError):
    """A detail that the kind of entry does not have, or an invalid value of one."""

    def __init__(self, field: str, issue: str) -> None:
        super().__init__(f"{field}: {issue}")
        self.field = field
        self.issue = issue


def read_detail(entry_type: EntryType, raw: Mapping[str, Any]) -> Detail:
    """Returns the typed detail of an entry. Raises BadDetail with the first unknown or invalid field."""
    kind = DETAILS[entry_type]
    known = {field.name for field in fields(kind)}
    for name in raw:
        if name not in known:
            raise BadDetail(name, f"{entry_type} has no such detail; it has {', '.join(sorted(known))}")
    hints = get_type_hints(kind)
    return kind(**{name: _checked(name, hints[name], value) for name, value in raw.items()})


def _checked(name: str, hint: Any, value: Any) -> Any:
    if hint == int | None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1_000):
            raise BadDetail(name, "must be a whole number from 1 to 999")
        return value
    if not isinstance(value, str):
        raise BadDetail(name, "must be text")
    value = value.strip()
    if hint is not str and value not in get_args(hint):
        raise BadDetail(name, f"must be one of {', '.join(word for word in get_args(hint) if word)}")
    if len(value) > TEXT_MAX:
        raise BadDetail(name, f"may have at most {TEXT_MAX} characters")
    return value


def detail_values(detail: Detail) -> dict[str, Any]:
    """Returns the set values of the detail."""
    return {name: value for name, value in asdict(detail).items() if value not in ("", None)}
