"""The pairs of the queue as those who meet them on a patient's page see them."""

from uuid import UUID

from django.db.models import Q

from apps.access.actor import Actor
from apps.common.errors import NotFound
from apps.patients.matching import duplicates
from apps.patients.matching.duplicates import Match
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.matching.scoring import Reason
from apps.patients.models import Patient


def pair(by: Actor, pair_id: UUID) -> DuplicateCandidate:
    """Returns one pair. Raises NotFound if it is not shown to the actor or no longer in the queue."""
    rows = DuplicateCandidate.objects.matched_by(by).select_related("low", "high", "merge_asked_by")
    row = rows.filter(pk=pair_id).first()
    if row is None:
        raise NotFound("This pair is no longer in the queue.")
    return row


def of_patient(patient: Patient, *, visible_to: Actor) -> list[DuplicateCandidate]:
    """Returns the pairs of one patient, the most likely first; at most ten. One query.

    They are what `selectors.duplicates_of` finds, as of the last change: the queue follows a change within seconds.
    """
    pairs = DuplicateCandidate.objects.matched_by(visible_to).filter(Q(low=patient) | Q(high=patient))
    return list(pairs.select_related("low", "high", "merge_asked_by")[: duplicates.SHOWN])


def match(of: DuplicateCandidate, patient: Patient) -> Match:
    """Returns the other record of the pair as a match of the patient."""
    known = {reason.value: reason for reason in Reason}
    reasons = tuple(known[word] for word in of.reasons if word in known)
    return Match(of.high if of.low_id == patient.pk else of.low, of.score, reasons)
