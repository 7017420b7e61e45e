"""Whatever changes what a record says of its person has it looked at for duplicates again, after the commit."""

from uuid import UUID

from apps.access.actor import SYSTEM
from apps.events.listeners import after_commit
from apps.patients import selectors, services
from apps.patients.duplicates import COMPARED
from apps.patients.events import (
    MergeTriageSettled,
    MergeUndone,
    PatientRegistered,
    PatientsMerged,
    PatientTransferredIn,
    PatientUpdated,
)


@after_commit(PatientRegistered)
def look_at_the_registered(event: PatientRegistered) -> None:
    _look(event.patient_id)


@after_commit(PatientTransferredIn)
def look_at_the_transferred(event: PatientTransferredIn) -> None:
    _look(event.patient_id)


@after_commit(PatientUpdated, when=lambda event: not COMPARED.isdisjoint(event.changes))
def look_at_the_amended(event: PatientUpdated) -> None:
    _look(event.patient_id)


@after_commit(PatientsMerged)
def look_at_the_survivor(event: PatientsMerged) -> None:
    _look(event.patient_id)


@after_commit(MergeUndone)
def look_at_both_again(event: MergeUndone) -> None:
    _look(event.patient_id, event.retired_id)


@after_commit(MergeTriageSettled)
def look_at_both_owners(event: MergeTriageSettled) -> None:
    merge = selectors.merge(SYSTEM, event.merge_id)
    _look(merge.survivor_id, merge.retired_id)


def _look(*patient_ids: UUID) -> None:
    for patient_id in patient_ids:
        services.look_for_duplicates(by=SYSTEM, patient_id=patient_id)
