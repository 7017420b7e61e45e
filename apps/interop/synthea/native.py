"""Synthea's own CSV (`Id,BIRTHDATE,DEATHDATE,…`), read as the files of `layout`. Pure.

The names of the columns are those of Synthea's CSVExporter from 2018 (v2.4) to v3.3; columns that came or went between them are
optional. Upper and lower case does not matter, and columns that are not named here are left alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Cells = Mapping[str, str]
_LOINC = re.compile(r"\d{1,7}-\d", re.ASCII)


@dataclass(frozen=True)
class NativeSheet:
    """One file: the required columns, the optional ones, and how a row becomes one of ours."""

    name: str
    needed: tuple[str, ...]
    read: Callable[[Cells], dict[str, str]]
    optional: tuple[str, ...] = ()


def is_native(header: list[str]) -> bool:
    """Returns whether the first line of the patients' file is Synthea's own."""
    return "BIRTHDATE" in [name.strip().upper() for name in header]


def _patient(row: Cells) -> dict[str, str]:
    return {
        "id": row["ID"],
        "family": row["LAST"],
        "given": row["FIRST"],
        "middle": row["MIDDLE"],
        "gender": row["GENDER"],
        "birth_date": row["BIRTHDATE"],
        "death_date": row["DEATHDATE"],
        "address": row["ADDRESS"],
        "city": row["CITY"],
        "state": row["STATE"],
        "zip": row["ZIP"],
    }


def _encounter(row: Cells) -> dict[str, str]:
    return {
        "id": row["ID"],
        "patient": row["PATIENT"],
        "class": row["ENCOUNTERCLASS"],
        "start": row["START"],
        "end": row["STOP"],
        "type_code": row["CODE"],
        "type": row["DESCRIPTION"],
        "reason_code": row["REASONCODE"],
        "reason": row["REASONDESCRIPTION"],
    }


def _allergy(row: Cells) -> dict[str, str]:
    reactions = [(row[f"DESCRIPTION{n}"], row[f"SEVERITY{n}"]) for n in ("1", "2")]
    return {
        "patient": row["PATIENT"],
        "code": row["CODE"],
        "system": row["SYSTEM"],
        "display": row["DESCRIPTION"],
        "category": {"drug": "medication"}.get(row["CATEGORY"].lower(), row["CATEGORY"].lower()),
        "kind": row["TYPE"].lower(),
        "clinical_status": "resolved" if row["STOP"] else "active",
        "recorded": row["START"],
        "ended": row["STOP"],
        "reaction": "; ".join(f"{what} ({how.lower()})" if how else what for what, how in reactions if what),
    }


def _condition(row: Cells) -> dict[str, str]:
    return {
        "patient": row["PATIENT"],
        "encounter": row["ENCOUNTER"],
        "code": row["CODE"],
        "display": row["DESCRIPTION"],
        "clinical_status": "resolved" if row["STOP"] else "active",
        "onset": row["START"],
        "abatement": row["STOP"],
    }


def _medication(row: Cells) -> dict[str, str]:
    return {
        "patient": row["PATIENT"],
        "encounter": row["ENCOUNTER"],
        "rxnorm": row["CODE"],
        "display": row["DESCRIPTION"],
        "status": "completed" if row["STOP"] else "active",
        "authored": row["START"],
        "ended": row["STOP"],
        "reason": row["REASONDESCRIPTION"],
    }


def _immunization(row: Cells) -> dict[str, str]:
    return {
        "patient": row["PATIENT"],
        "encounter": row["ENCOUNTER"],
        "cvx": row["CODE"],
        "display": row["DESCRIPTION"],
        "date": row["DATE"],
        "status": "completed",
    }


def _procedure(row: Cells) -> dict[str, str]:
    return {
        "patient": row["PATIENT"],
        "encounter": row["ENCOUNTER"],
        "code": row["CODE"],
        "display": row["DESCRIPTION"],
        "start": row["START"] or row["DATE"],
        "end": row["STOP"],
    }


def _observation(row: Cells) -> dict[str, str]:
    """Scores like QALY have Synthea's own names, which are not LOINC codes."""
    is_loinc = bool(_LOINC.fullmatch(row["CODE"]))
    return {
        "patient": row["PATIENT"],
        "encounter": row["ENCOUNTER"],
        "category": row["CATEGORY"].lower(),
        "loinc": row["CODE"] if is_loinc else "",
        "display": row["DESCRIPTION"] if is_loinc else f"{row['DESCRIPTION']} ({row['CODE']})",
        "effective": row["DATE"],
        "value": row["VALUE"],
        "unit": row["UNITS"],
    }


def _claim(row: Cells) -> dict[str, str]:
    return {"id": row["ID"], "patient": row["PATIENTID"]}


_WHO = ("PATIENT", "ENCOUNTER", "CODE", "DESCRIPTION")
NATIVE: Mapping[str, NativeSheet] = {
    sheet.name: sheet
    for sheet in (
        NativeSheet(
            "patients",
            ("ID", "BIRTHDATE", "DEATHDATE", "FIRST", "LAST", "GENDER"),
            _patient,
            optional=("MIDDLE", "ADDRESS", "CITY", "STATE", "ZIP"),
        ),
        NativeSheet(
            "encounters",
            ("ID", "START", "STOP", "PATIENT", "ENCOUNTERCLASS", "CODE", "DESCRIPTION"),
            _encounter,
            optional=("REASONCODE", "REASONDESCRIPTION"),
        ),
        NativeSheet(
            "allergies",
            ("START", "STOP", *_WHO),
            _allergy,
            optional=("SYSTEM", "TYPE", "CATEGORY", "DESCRIPTION1", "SEVERITY1", "DESCRIPTION2", "SEVERITY2"),
        ),
        NativeSheet("conditions", ("START", "STOP", *_WHO), _condition),
        NativeSheet("medications", ("START", "STOP", *_WHO), _medication, optional=("REASONDESCRIPTION",)),
        NativeSheet("immunizations", ("DATE", *_WHO), _immunization),
        NativeSheet("procedures", _WHO, _procedure, optional=("START", "DATE", "STOP")),
        NativeSheet("observations", ("DATE", *_WHO, "VALUE", "UNITS"), _observation, optional=("CATEGORY",)),
        NativeSheet("claims", ("ID", "PATIENTID"), _claim),
    )
}
