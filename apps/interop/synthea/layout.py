"""The form of the nine files. A cell named under `instants` or `days` is empty or can be parsed as such."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sheet:
    """One file: its columns, those with a point in time, and those with a calendar day."""

    name: str
    columns: tuple[str, ...]
    instants: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.name}.csv.gz"


PATIENTS = Sheet(
    "patients",
    (
        *("id", "fhir", "family", "given", "prefix", "gender", "birth_date", "death_date", "marital", "race"),
        *("ethnicity", "language", "address", "city", "state", "zip", "phone", "ssn_synthetic", "mrn", "synthea_version"),
    ),
    instants=("death_date",),
    days=("birth_date",),
)
ENCOUNTERS = Sheet(
    "encounters",
    ("id", "patient", "class", "start", "end", "type_code", "type", "reason_code", "reason", "provider", "organization"),
    instants=("start", "end"),
)
ALLERGIES = Sheet(
    "allergies",
    ("id", "patient", "code", "display", "category", "criticality", "clinical_status", "recorded", "reaction"),
    instants=("recorded",),
)
CONDITIONS = Sheet(
    "conditions",
    ("id", "patient", "encounter", "code", "display", "clinical_status", "onset", "abatement"),
    instants=("onset", "abatement"),
)
MEDICATIONS = Sheet(
    "medications",
    ("id", "patient", "encounter", "rxnorm", "display", "status", "authored", "reason", "dosage"),
    instants=("authored",),
)
IMMUNIZATIONS = Sheet("immunizations", ("id", "patient", "encounter", "cvx", "display", "date", "status"), instants=("date",))
PROCEDURES = Sheet("procedures", ("id", "patient", "encounter", "code", "display", "start", "end"), instants=("start", "end"))
OBSERVATIONS = Sheet(
    "observations",
    ("id", "patient", "encounter", "category", "loinc", "display", "effective", "value", "unit", "value_code", "component"),
    instants=("effective",),
)
CLAIMS = Sheet("claims", ("id", "patient", "encounter", "type", "status", "total", "currency", "item_count", "payer"))

SHEETS = (PATIENTS, ENCOUNTERS, ALLERGIES, CONDITIONS, MEDICATIONS, IMMUNIZATIONS, PROCEDURES, OBSERVATIONS, CLAIMS)
