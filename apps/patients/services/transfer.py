"""Taking over a patient with his chart from another system: one transaction a patient, harmless when repeated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.common.errors import Invalid
from apps.events.services import emit
from apps.patients.events import PatientTransferredIn
from apps.patients.models import ChartEntry, Patient, PatientIdentifier
from apps.patients.services.charting import NewEntry, allergy_status, draft
from apps.patients.services.registry import Registration, open_record

_BATCH = 2_000


@dataclass(frozen=True)
class Refused:
    """An entry that cannot stand in a chart, and why."""

    source_ref: str
    issue: str


@dataclass(frozen=True)
class Transfer:
    """The patient, whether the record was opened now, the `source_ref`s of the new chart entries, and what was left out."""

    patient: Patient
    opened: bool
    added: tuple[str, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def entries_added(self) -> int:
        return len(self.added)


@transaction.atomic
def transfer_in(
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
) -> Transfer:
    """Open the record known as `ref` in `system`, if it is not here yet, and add the entries whose `source_ref` is new.

    `source` is a ChartEntry.Source; `identifiers` are the new patient's numbers in further systems. A person on record keeps the
    demographics the clinic has. All or nothing; a second run adds nothing and announces nothing. Raises Invalid for an entry that
    cannot stand in a chart (unless not `strict`: then it is left out and named in `refused`), MrnTaken as `register` does.
    """
    patient, opened = _find_or_open(registration, patient_id, {system: ref} | dict(identifiers or {}), system)
    rows, refused = _drafts(patient, entries, source, by, strict)
    ChartEntry.objects.bulk_create(rows, batch_size=_BATCH)
    if opened or rows:
        patient.amend(allergy_status=allergy_status(patient))
        emit(PatientTransferredIn(patient_id=patient.pk, source=system, entries=len(rows)), by=by)
    return Transfer(patient, opened, tuple(row.source_ref for row in rows), tuple(refused))


def _find_or_open(
    registration: Registration, patient_id: UUID | None, numbers: dict[str, str], system: str
) -> tuple[Patient, bool]:
    here = PatientIdentifier.objects.filter(system=system, value=numbers[system])
    known = here.select_related("patient").select_for_update().first()
    if known:
        return known.patient, False
    patient = open_record(registration, patient_id)
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(patient=patient, system=name, value=value) for name, value in numbers.items()
    )
    return patient, True


def _drafts(
    patient: Patient, entries: Iterable[NewEntry], source: str, by: Actor, strict: bool
) -> tuple[list[ChartEntry], list[Refused]]:
    """The rows of the entries that are not here yet, and those left out."""
    here = set(
        ChartEntry.objects.filter(patient=patient, source=source).exclude(source_ref="").values_list("source_ref", flat=True)
    )
    rows, refused = [], []
    for entry in entries:
        if entry.source_ref in here:
            continue
        try:
            rows.append(draft(patient, entry, source=source, recorded_by_id=by.id))
        except Invalid as problem:
            if strict:
                raise
            refused.append(Refused(entry.source_ref, str(problem.details["issue"])))
    return rows, refused
