"""The queue of pairs that may be one person: updated when the records change."""

from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.events import DuplicatesSuspected
from apps.patients.matching import duplicates
from apps.patients.matching.duplicates import Match
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.matching.scoring import WARNED, Reason
from apps.patients.models import Patient


@transaction.atomic
def refresh_duplicate_candidates(*, by: Actor, patient_id: UUID) -> int:
    """Adds the pairs of this patient with possible duplicates to the queue, and removes the pairs that are no longer similar.

    Returns how many pairs were added, removed or changed; a repeated call, none. A merged id means the survivor. Raises NotFound.
    """
    patient = selectors.patient(by, patient_id)
    likely = {match.patient.pk for match in selectors.duplicates_of(patient, visible_to=by)}
    others = likely | selectors.duplicate_candidates_of(patient).keys()
    return _compare_locked(by, patient.pk, others) if others else 0


def _compare_locked(by: Actor, patient_id: UUID, others: set[UUID]) -> int:
    """Compares the locked rows once more: since the first read they may have been changed, marked as two people or merged.

    Of two concurrent comparisons of one pair the second waits, and a concurrent change triggers another comparison afterwards.
    """
    rows = Patient.objects.filter(pk__in=[patient_id, *others]).order_by("pk").select_for_update(no_key=True)
    locked = {row.pk: row for row in rows}
    patient = locked.pop(patient_id)
    if patient.merged_into_id:  # the merge has removed the pairs, and emits its own event
        return 0
    comparable = selectors.exclude_not_duplicates(patient, Patient.objects.unmerged().filter(pk__in=locked))
    alike = duplicates.alike(duplicates.person_of(patient), list(comparable), at_least=WARNED)
    known = {pk: pair for pk, pair in selectors.duplicate_candidates_of(patient).items() if pk in locked}
    return _store(by, patient, known, {match.patient.pk: match for match in alike})


def _store(by: Actor, patient: Patient, known: dict[UUID, DuplicateCandidate], alike: dict[UUID, Match]) -> int:
    new, gone = sorted(alike.keys() - known.keys()), sorted(known.keys() - alike.keys())
    DuplicateCandidate.objects.filter(pk__in=[known[pk].pk for pk in gone]).delete()
    DuplicateCandidate.objects.bulk_create(_pair(patient, alike[pk]) for pk in new)
    changed = [pair for pk, pair in known.items() if pk in alike and _update(pair, alike[pk])]
    DuplicateCandidate.objects.bulk_update(changed, ["score", "reasons"])
    if new or gone:
        emit(DuplicatesSuspected(patient_id=patient.pk, suspected=tuple(new), cleared=tuple(gone)), by=by)
    return len(new) + len(gone) + len(changed)


def _pair(patient: Patient, match: Match) -> DuplicateCandidate:
    low, high = sorted([patient.pk, match.patient.pk])
    return DuplicateCandidate(low_id=low, high_id=high, score=match.score, reasons=_reasons(match))


def _update(pair: DuplicateCandidate, match: Match) -> bool:
    """Stores the current result. Returns whether it differs from the previous one."""
    before = (pair.score, pair.reasons)
    pair.score, pair.reasons = match.score, _reasons(match)
    return (pair.score, pair.reasons) != before


def _reasons(match: Match) -> list[str]:
    """Returns the reasons in one order, from either side."""
    return [reason.value for reason in Reason if reason in match.reasons]
