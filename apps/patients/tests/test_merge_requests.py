"""A user who may not merge asks the administrators to: one request for a pair, which ends with the pair."""

from datetime import date
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Invalid, NotFound
from apps.events.models import OutboxEvent
from apps.patients import services
from apps.patients.matching import pairs
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db
BORN = date(1980, 5, 15)


def alike() -> tuple[Patient, Patient, UUID]:
    older, newer = register_patient("John", born=BORN), register_patient("Jhon", born=BORN)
    services.refresh_duplicate_candidates(by=SYSTEM, patient_id=older.pk)
    return older, newer, DuplicateCandidate.objects.get().pk


def ask(user: User, pair_id: UUID, keep: Patient, reason: str = "") -> DuplicateCandidate:
    return services.ask_for_merge(by=user, pair_id=pair_id, keep_id=keep.pk, reason=reason)


def test_a_request_names_who_asked_and_which_record_stays(staff: dict[str, User]) -> None:
    older, newer, pair_id = alike()
    asked = ask(staff["manager"], pair_id, newer, " Same passport ")
    assert (asked.kept_id, asked.merge_reason, asked.merge_asked_by_id) == (newer.pk, "Same passport", staff["manager"].pk)
    event = OutboxEvent.objects.get(name="patient.merge_requested")
    assert event.payload == {"patient_id": str(newer.pk), "other_id": str(older.pk), "pair_id": str(pair_id)}
    row = AuditEvent.objects.get(action="patient.merge_requested")
    assert (row.patient_id, row.object_id, row.user_id) == (newer.pk, pair_id, staff["manager"].pk)


def test_a_merge_is_asked_for_once(staff: dict[str, User]) -> None:
    older, newer, pair_id = alike()
    ask(staff["manager"], pair_id, older)
    with pytest.raises(services.MergeAlreadyRequested):
        ask(staff["receptionist"], pair_id, newer)
    assert DuplicateCandidate.objects.get().kept_id == older.pk


def test_only_one_of_the_two_can_stay(staff: dict[str, User]) -> None:
    _, _, pair_id = alike()
    with pytest.raises(Invalid) as refusal:
        ask(staff["manager"], pair_id, register_patient("Ann"))
    assert refusal.value.details["field"] == "keep"


def test_no_merge_is_asked_for_once_the_pair_is_decided(staff: dict[str, User]) -> None:
    older, newer, pair_id = alike()
    merge(newer, older)
    with pytest.raises(NotFound):
        ask(staff["manager"], pair_id, older)


def test_a_request_stays_when_the_likelihood_changes_and_ends_when_the_pair_does(staff: dict[str, User]) -> None:
    older, newer, pair_id = alike()
    ask(staff["manager"], pair_id, older)
    services.amend(by=SYSTEM, patient_id=newer.pk, changes={"first_name": "John"})
    services.refresh_duplicate_candidates(by=SYSTEM, patient_id=newer.pk)
    assert DuplicateCandidate.objects.get().kept_id == older.pk
    services.mark_not_duplicate(by=staff["manager"], patient_id=older.pk, other_id=newer.pk)
    assert not DuplicateCandidate.objects.exists()


def test_a_pair_with_a_restricted_record_is_not_shown_to_those_outside_its_team(staff: dict[str, User]) -> None:
    older, newer, pair_id = alike()
    restrict(newer, staff["nurse"])
    assert not pairs.of_patient(older, visible_to=staff["receptionist"])
    with pytest.raises(NotFound):
        ask(staff["receptionist"], pair_id, older)
    (seen,) = pairs.of_patient(older, visible_to=staff["nurse"])
    assert pairs.match(seen, older).patient == newer


def test_half_a_request_is_refused_by_the_database() -> None:
    alike()
    with pytest.raises(IntegrityError, match="duplicate_candidate_request_whole"), transaction.atomic():
        DuplicateCandidate.objects.update(merge_asked_at=clock.now())
