"""Loads drugs from a file into the catalogue, all or nothing."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction

from apps.access.actor import SYSTEM
from apps.common import clock, locks
from apps.common.errors import Invalid
from apps.common.locks import LockName
from apps.events.services import emit
from apps.prescriptions.catalogue.services.keeping import NewDrug, store
from apps.prescriptions.events import DrugsLoaded
from apps.prescriptions.models import Drug, Schedule

SEED = Path(__file__).parents[2] / "data" / "drugs.csv"
COLUMNS = ("rxcui", "name", "ingredients", "brands", "schedule", "use", "source")
ProgressCallback = Callable[[int, int], None]
"""Receives the number of loaded drugs and their total."""
_BATCH = 500


@dataclass(frozen=True)
class Loaded:
    """How many drugs were added, and how many the catalogue had already."""

    added: int
    known: int


def read_csv(lines: Iterable[str]) -> list[NewDrug]:
    """Returns the drugs of a CSV file with the columns of `COLUMNS`. Raises Invalid with every bad line and its fix."""
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise Invalid(field="line 1", issue=f"The first line must be: {','.join(COLUMNS)}.")
    drugs, problems, seen = [], list[dict[str, str]](), set[str]()
    for row in reader:
        field = f"line {reader.line_num}"
        issue = _problem(row) or _repeated(row, seen)
        if issue:
            problems.append({"field": field, "issue": issue})
        else:
            drugs.append(_drug(row))
    if problems:
        raise Invalid(errors=problems)
    return drugs


def _problem(row: dict[str, str]) -> str:
    if None in row.values() or None in row:
        return f"Has another number of columns than {len(COLUMNS)}. Put text with a comma in quotes."
    if not row["name"].strip():
        return "Write the name of the drug in RxNorm's form, like Lisinopril 10 MG Oral Tablet."
    if row["schedule"] not in Schedule.values:
        return "schedule must be II, III, IV, V or empty."
    if row["rxcui"] and not (row["rxcui"].isdecimal() and len(row["rxcui"]) <= 8):
        return "rxcui is a number of at most 8 digits, or empty."
    return "" if row["source"].strip() else "Say in source where the row comes from."


def _repeated(row: dict[str, str], seen: set[str]) -> str:
    keys = {f"name {row['name'].lower()}"} | ({f"rxcui {row['rxcui']}"} if row["rxcui"] else set())
    repeated = keys & seen
    seen |= keys
    return f"{min(repeated)} is on an earlier line too." if repeated else ""


def _drug(row: dict[str, str]) -> NewDrug:
    return NewDrug(
        name=row["name"].strip(),
        rxcui=row["rxcui"],
        ingredients=_several(row["ingredients"]),
        brand_names=_several(row["brands"]),
        schedule=row["schedule"],
        use=row["use"].strip(),
        source=row["source"].strip(),
    )


def _several(text: str) -> Sequence[str]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


@transaction.atomic
def load(*, drugs: Sequence[NewDrug], ids: Mapping[str, UUID] | None = None, watch: ProgressCallback | None = None) -> Loaded:
    """Adds the drugs that the catalogue does not have, by RxCUI and by name. What the pharmacy changed stays as it is, but a drug
    that was withdrawn since is no longer offered.

    `ids` are the ids of samples, by name.
    """
    locks.lock(LockName.DRUG_CATALOGUE)  # of two simultaneous loads, the second finds the drugs of the first
    numbers = set(Drug.objects.exclude(rxcui=None).values_list("rxcui", flat=True))
    names = {name.lower() for name in Drug.objects.values_list("rxnorm_name", flat=True)}
    new = [drug for drug in drugs if drug.rxcui not in numbers and drug.name.lower() not in names]
    withdrawn = [drug.rxcui for drug in drugs if drug.is_withdrawn and drug.rxcui in numbers]
    lost = Drug.objects.filter(rxcui__in=withdrawn, is_offered=True).update(is_offered=False, updated_at=clock.now())
    for start in range(0, len(new), _BATCH):
        store(new[start : start + _BATCH], ids)
        if watch:
            watch(min(start + _BATCH, len(new)), len(new))
    if new or lost:
        emit(DrugsLoaded(drugs=len(new), withdrawn=lost), by=SYSTEM)
    return Loaded(len(new), len(drugs) - len(new))


def load_seed(*, ids: Mapping[str, UUID] | None = None) -> Loaded:
    """Adds the drugs of the catalogue's own seed."""
    with SEED.open(encoding="utf-8", newline="") as lines:
        return load(drugs=read_csv(lines), ids=ids)
