"""Imports a patient with the chart from another system: one transaction per patient, safe to repeat."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.common.errors import Invalid
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.chart.services.derived import refresh_allergy_status
from apps.patients.chart.services.entries import NewEntry, draft
from apps.patients.events import PatientImported
from apps.patients.models import ChartEntry, MergeTriage, Patient, PatientIdentifier
from apps.patients.services.registry import Registration, open_record

_BATCH = 2_000


@dataclass(frozen=True)
class RejectedEntry:
    """An entry that does not fit into a chart, and why."""

    source_ref: str
    issue: str


@dataclass(frozen=True)
class ImportedPatient:
    """The patient, whether the record was opened now, the `source_ref`s of the new chart entries, and what was left out."""

    patient: Patient
    opened: bool
    added: tuple[str, ...]
    refused: tuple[RejectedEntry, ...] = ()

    @property
    def entries_added(self) -> int:
        return len(self.added)


@transaction.atomic
def import_patient(
    *,
    by: Actor,
    source: str,
    system: str,
    ref: str,
    registration: Registration,
    entries: Iterable[NewEntry],
    patient_id: UUID | None = None,
    identifiers: Mapping[str, str] | None = None,
    strict: bool = True,
) -> ImportedPatient:
    """Opens the record known as `ref` in `system`, if it does not exist yet, and adds the entries whose `source_ref` is new.

    `source` is a ChartEntry.Source; `identifiers` are the new patient's numbers in further systems. A recorded patient keeps the
    clinic's demographics. All or nothing; a second run adds nothing and emits nothing. Raises Invalid for an entry that does not
    fit into a chart (unless not `strict`: then it is left out and named in `refused`), MrnTaken as `register` does.
    """
    patient, opened = _find_or_open(by, registration, patient_id, {system: ref} | dict(identifiers or {}), system)
    rows, refused = _drafts(patient, entries, source, by, strict)
    ChartEntry.objects.bulk_create(rows, batch_size=_BATCH)
    if opened or rows:
        refresh_allergy_status(patient)
        emit(PatientImported(patient_id=patient.pk, source=system, entries=len(rows)), by=by)
    return ImportedPatient(patient, opened, tuple(row.source_ref for row in rows), tuple(refused))


def _find_or_open(
    by: Actor, registration: Registration, patient_id: UUID | None, numbers: dict[str, str], system: str
) -> tuple[Patient, bool]:
    known = selectors.get_by_identifier_for_update(by, system, numbers[system])
    if known:
        return known, False
    patient = open_record(registration, patient_id)
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(patient=patient, system=name, value=value) for name, value in numbers.items()
    )
    return patient, True


def _drafts(
    patient: Patient, entries: Iterable[NewEntry], source: str, by: Actor, strict: bool
) -> tuple[list[ChartEntry], list[RejectedEntry]]:
    """Returns the rows of the entries that do not exist yet, and those left out."""
    entries = list(entries)
    here, elsewhere_refs = _existing_refs([entry.source_ref for entry in entries if entry.source_ref], source, patient)
    rows, refused = [], []
    for entry in entries:
        if entry.source_ref in here:
            continue
        try:
            if entry.source_ref in elsewhere_refs:
                raise Invalid(field="source_ref", issue="This entry belongs to the chart of another patient.")
            rows.append(draft(patient, entry, source=source, recorded_by_id=by.id))
        except Invalid as problem:
            if strict:
                raise
            refused.append(RejectedEntry(entry.source_ref, str(problem.details["issue"])))
    return rows, refused


def _existing_refs(refs: list[str], source: str, patient: Patient) -> tuple[set[str], set[str]]:
    """Returns which references exist in a chart: in the correct one, and in the chart of an unrelated patient.

    After an undone merge an entry may be in the chart of the other record, if a user left it there or has not assigned it yet:
    that is a correct one.
    """
    here: set[str] = set()
    elsewhere_refs: set[str] = set()
    for start in range(0, len(refs), _BATCH):
        rows = ChartEntry.objects.filter(source=source, source_ref__in=refs[start : start + _BATCH]).exclude(source_ref="")
        existing = list(rows.values_list("source_ref", "patient_id", "pk"))
        elsewhere = [str(pk) for _, owner, pk in existing if owner != patient.pk]
        in_triage = MergeTriage.objects.filter(model=ChartEntry._meta.label, row_id__in=elsewhere)
        known = set(in_triage.values_list("row_id", flat=True)) if elsewhere else set()
        for ref, owner, pk in existing:
            (here if owner == patient.pk or str(pk) in known else elsewhere_refs).add(ref)
    return here, elsewhere_refs
