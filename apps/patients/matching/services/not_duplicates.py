"""Records that two similar records are two people."""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.events import PatientsNotDuplicates
from apps.patients.models import NotDuplicate, Patient
from apps.patients.services.registry import Registered, Registration, register


class AlreadyNotDuplicate(Conflict):
    message = "It is already recorded that these are two people."


class UnreviewedMatches(Conflict):
    """Another user registered a likely duplicate in the meantime. `details.matches` are all the likely duplicates."""

    message = "A record that may be the same person was registered a moment ago. Compare it first."


@transaction.atomic
def mark_not_duplicate(*, by: Actor, patient_id: UUID, other_id: UUID) -> NotDuplicate:
    """Records that these are two people; the pair is never suggested again.

    Raises NotFound for the patient, Invalid for an `other_id` that is unknown or the patient's own, RecordMerged,
    AlreadyNotDuplicate.
    """
    if patient_id == other_id:
        raise Invalid(field="other_id", issue="This is the same record; send the id of the other person's record.")
    selectors.patient(by, patient_id)
    _other(by, other_id)
    patient, other = selectors.get_several_for_update(by, patient_id, other_id)
    low, high = sorted([patient.pk, other.pk])
    try:
        with transaction.atomic():
            pair = NotDuplicate.objects.create(low_id=low, high_id=high, decided_by_id=by.id)
    except IntegrityError as error:
        if "not_duplicate_once" in str(error):
            raise AlreadyNotDuplicate from error
        raise
    emit(PatientsNotDuplicates(patient_id=patient.pk, other_id=other.pk), by=by)
    return pair


@transaction.atomic
def register_despite_matches(
    *, by: Actor, registration: Registration, others: Iterable[UUID], patient_id: UUID | None = None
) -> Registered:
    """Registers a patient who is not one of the `others` by the user's decision, and records that.

    The others are locked before anything is written, in order: two registrations with the same similar records cause no deadlock.
    Raises as `register` and `mark_not_duplicate` do, and UnreviewedMatches if a similar record is not among the others.
    """
    known = {row.pk for row in selectors.get_several_for_update(by, *others)}
    registered = register(by=by, registration=registration, patient_id=patient_id)
    if {match.patient.pk for match in registered.matches} - known:
        raise UnreviewedMatches(matches=registered.matches)
    for other_id in sorted(known):
        mark_not_duplicate(by=by, patient_id=registered.patient.pk, other_id=other_id)
    return registered


def _other(by: Actor, other_id: UUID) -> Patient:
    try:
        return selectors.patient(by, other_id)
    except NotFound as missing:
        raise Invalid(field="other_id", issue=missing.message) from missing
