"""The queue of pairs that may be one person: kept in step with what the records say."""

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
    """Put into the queue whom this patient may be the same as, and strike whoever he is no longer like.

    Answers how many pairs came, went or changed; repeated, none. A merged id means the survivor. Raises NotFound.
    """
    patient = selectors.patient(by, patient_id)
    likely = {match.patient.pk for match in selectors.duplicates_of(patient, visible_to=by)}
    others = likely | selectors.duplicate_candidates_of(patient).keys()
    return _compare_locked(by, patient.pk, others) if others else 0


def _compare_locked(by: Actor, patient_id: UUID, others: set[UUID]) -> int:
    """Compare once more what is locked now: what was read before may have been amended, told apart or merged meanwhile.

    Of two who judge one pair the second waits, and whoever amends a record meanwhile has it looked at afterwards.
    """
    rows = Patient.objects.filter(pk__in=[patient_id, *others]).order_by("pk").select_for_update(no_key=True)
    locked = {row.pk: row for row in rows}
    patient = locked.pop(patient_id)
    if patient.merged_into_id:  # the merge has struck his pairs, and announces itself
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
    """Set what is true now. Answers whether that is something else than before."""
    before = (pair.score, pair.reasons)
    pair.score, pair.reasons = match.score, _reasons(match)
    return (pair.score, pair.reasons) != before


def _reasons(match: Match) -> list[str]:
    """In one order, from whichever of the two one looks."""
    return [reason.value for reason in Reason if reason in match.reasons]
