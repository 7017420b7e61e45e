"""Compares a record for duplicates again after every change of its identifying data, after the commit."""

from uuid import UUID

from apps.access.actor import SYSTEM
from apps.events.listeners import after_commit
from apps.patients import selectors, services
from apps.patients.events import (
    MergeTriageSettled,
    MergeUndone,
    PatientImported,
    PatientRegistered,
    PatientsMerged,
    PatientUpdated,
)
from apps.patients.matching.duplicates import COMPARED


@after_commit(PatientRegistered)
def check_registered(event: PatientRegistered) -> None:
    _refresh(event.patient_id)


@after_commit(PatientImported)
def check_imported(event: PatientImported) -> None:
    _refresh(event.patient_id)


@after_commit(PatientUpdated, when=lambda event: not COMPARED.isdisjoint(event.changes))
def check_amended(event: PatientUpdated) -> None:
    _refresh(event.patient_id)


@after_commit(PatientsMerged)
def check_survivor(event: PatientsMerged) -> None:
    _refresh(event.patient_id)


@after_commit(MergeUndone)
def check_separated(event: MergeUndone) -> None:
    _refresh(event.patient_id, event.retired_id)


@after_commit(MergeTriageSettled)
def check_owners(event: MergeTriageSettled) -> None:
    merge = selectors.merge(SYSTEM, event.merge_id)
    _refresh(merge.survivor_id, merge.retired_id)


def _refresh(*patient_ids: UUID) -> None:
    for patient_id in patient_ids:
        services.refresh_duplicate_candidates(by=SYSTEM, patient_id=patient_id)
