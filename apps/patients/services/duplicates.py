"""Two records that look alike: said to be two people."""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit
from apps.patients import selectors
from apps.patients.events import PatientsToldApart
from apps.patients.models import NotSame, Patient
from apps.patients.services.registry import Registered, Registration, register


class AlreadyToldApart(Conflict):
    message = "It is on record already that these are two people."


class NotLookedAt(Conflict):
    """Somebody else registered a likely duplicate in the meantime. `details.matches` are all the likely duplicates."""

    message = "A record that may be the same person was registered a moment ago. Look at it first."


@transaction.atomic
def tell_apart(*, by: Actor, patient_id: UUID, other_id: UUID) -> NotSame:
    """Put on record that these are two people; the pair is never suggested again.

    Raises NotFound for the patient, Invalid for an `other_id` that is nobody or the patient himself, RecordMerged,
    AlreadyToldApart.
    """
    if patient_id == other_id:
        raise Invalid(field="other_id", issue="This is the same record; name the other person's.")
    selectors.patient(by, patient_id)
    _other(by, other_id)
    patient, other = selectors.locked_together(by, patient_id, other_id)
    low, high = sorted([patient.pk, other.pk])
    try:
        with transaction.atomic():
            pair = NotSame.objects.create(low_id=low, high_id=high, said_by_id=by.id)
    except IntegrityError as error:
        if "not_same_once" in str(error):
            raise AlreadyToldApart from error
        raise
    emit(PatientsToldApart(patient_id=patient.pk, other_id=other.pk), by=by)
    return pair


@transaction.atomic
def register_beside(*, by: Actor, registration: Registration, others: Iterable[UUID]) -> Registered:
    """Register somebody of whom it was seen that he is none of the `others`, and put that on record.

    The others are held before anything is written, in order: two who register beside the same people never wait in a circle.
    Raises as `register` and `tell_apart` do, and NotLookedAt where a record looks alike that is none of the others.
    """
    known = {row.pk for row in selectors.locked_together(by, *others)}
    done = register(by=by, registration=registration)
    if {match.patient.pk for match in done.matches} - known:
        raise NotLookedAt(matches=done.matches)
    for other_id in sorted(known):
        tell_apart(by=by, patient_id=done.patient.pk, other_id=other_id)
    return done


def _other(by: Actor, other_id: UUID) -> Patient:
    try:
        return selectors.patient(by, other_id)
    except NotFound as nobody:
        raise Invalid(field="other_id", issue=nobody.message) from nobody
