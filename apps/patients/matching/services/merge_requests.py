"""Asks the administrators to merge two records that are one person's."""

from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.events import MergeRequested
from apps.patients.matching import pairs
from apps.patients.matching.models import DuplicateCandidate


class MergeAlreadyRequested(Conflict):
    message = "The administrators were already asked to merge these records."


@transaction.atomic
def ask_for_merge(*, by: Actor, pair_id: UUID, keep_id: UUID, reason: str = "") -> DuplicateCandidate:
    """Asks for the merge of a pair of the queue; `keep_id` is the record that stays.

    Raises NotFound for a pair that was decided meanwhile, Invalid for a record that is not one of the two, MergeAlreadyRequested.
    """
    pair = pairs.pair(by, pair_id)
    if keep_id not in (pair.low_id, pair.high_id):
        raise Invalid(field="keep", issue="Choose one of the two records.")
    selectors.get_survivors_for_update(by, pair.low_id, pair.high_id)  # a merge or a decision removes the pair
    locked = DuplicateCandidate.objects.filter(pk=pair_id).select_for_update().first()
    if locked is None:
        raise NotFound("This pair is no longer in the queue.")
    if locked.merge_asked_at is not None:
        raise MergeAlreadyRequested
    keeps = DuplicateCandidate.Keeps.LOW if keep_id == locked.low_id else DuplicateCandidate.Keeps.HIGH
    locked.merge_asked_by_id, locked.merge_asked_at = by.id, clock.now()
    locked.merge_keeps, locked.merge_reason = keeps.value, reason.strip()
    locked.save(update_fields=["merge_asked_by", "merge_asked_at", "merge_keeps", "merge_reason"])
    other_id = locked.high_id if keep_id == locked.low_id else locked.low_id
    emit(MergeRequested(patient_id=keep_id, other_id=other_id, pair_id=locked.pk), by=by)
    return locked
