"""The queue of suspected duplicates: filled after the commit and by a sweep, kept in step, settled for good."""

import os
import signal
import subprocess
import sys
import time
from datetime import date
from io import StringIO
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import new_id
from apps.common.locks import LockName, advisory_lock
from apps.common.tests.sessions import await_end_of_others, sessions
from apps.events import tasks
from apps.events.models import Delivery, OutboxEvent
from apps.patients import selectors, services
from apps.patients.matching import duplicate_scan
from apps.patients.matching.models import DuplicateCandidate, DuplicateScan
from apps.patients.models import Merge, NotDuplicate, Patient
from apps.patients.tests import bulk_patients
from apps.patients.tests.factories import merge, register_patient
from apps.patients.tests.test_locks import race

pytestmark = pytest.mark.django_db


def look(patient: Patient) -> int:
    return services.refresh_duplicate_candidates(by=SYSTEM, patient_id=patient.pk)


def pairs() -> set[frozenset[str]]:
    """The queue, by first names."""
    return {frozenset((pair.low.first_name, pair.high.first_name)) for pair in selectors.duplicate_candidates(visible_to=SYSTEM)}


def hear() -> None:
    """Have every fact that waits heard by its listeners."""
    tasks.relay_waiting()
    for delivery in Delivery.objects.filter(status="pending"):
        tasks.deliver(delivery_id=str(delivery.pk), attempt=1)
    assert not Delivery.objects.exclude(status="done").exists()


def amend(patient: Patient, **changes: Any) -> None:
    services.amend(by=SYSTEM, patient_id=patient.pk, changes=changes)


# --- looking at one patient


def test_similar_patients_are_queued_once_with_score_and_reasons() -> None:
    john, jhon, _ = (
        register_patient(phone="(213) 373-4253"),
        register_patient("Jhon", phone="(213) 373-4253"),
        register_patient("Somebody", "Else"),
    )
    assert (look(john), look(jhon), look(john)) == (1, 0, 0)
    (pair,) = selectors.duplicate_candidates(visible_to=SYSTEM)
    assert {pair.low, pair.high} == {john, jhon}
    assert pair.low_id < pair.high_id
    assert pair.score >= 0.9
    assert pair.reasons == ["misspelt_name", "same_birth_date", "same_phone"]


def test_a_queued_pair_is_announced_with_ids_alone_and_is_on_record() -> None:
    john, jhon = register_patient(), register_patient("Jhon")
    look(john)
    look(john)
    payload = OutboxEvent.objects.get(name="patient.duplicates_suspected").payload
    assert payload == {"patient_id": str(john.pk), "suspected": [str(jhon.pk)], "cleared": []}
    assert AuditEvent.objects.get(action="patient.duplicates_suspected").patient_id == john.pk


def test_a_pair_that_no_longer_matches_leaves_and_one_that_changed_is_announced_anew() -> None:
    john, jhon = register_patient(phone="(213) 373-4253"), register_patient("Jhon", phone="(213) 373-4253")
    look(john)
    first = DuplicateCandidate.objects.get()
    amend(jhon, phone="")
    assert look(jhon) == 1
    again = DuplicateCandidate.objects.get()
    assert (again.pk, again.found_at) == (first.pk, first.found_at)
    assert again.reasons == ["misspelt_name", "same_birth_date"]
    amend(jhon, date_of_birth=date(1951, 2, 20), last_name="Papadopoulos")
    assert look(john) == 1
    assert not DuplicateCandidate.objects.exists()
    payload = OutboxEvent.objects.filter(name="patient.duplicates_suspected").latest("id").payload
    assert (payload["suspected"], payload["cleared"]) == ([], [str(jhon.pk)])


def test_pairs_marked_as_not_duplicates_leave_and_never_come_back() -> None:
    john, jhon, jon = register_patient(), register_patient("Jhon"), register_patient("Jon")
    look(john)
    assert pairs() == {frozenset(("John", "Jhon")), frozenset(("John", "Jon"))}
    services.mark_not_duplicate(by=SYSTEM, patient_id=jhon.pk, other_id=john.pk)
    assert pairs() == {frozenset(("John", "Jon"))}
    for patient in (john, jhon, jon):
        look(patient)
    assert pairs() == {frozenset(("John", "Jon")), frozenset(("Jhon", "Jon"))}


def test_a_merged_record_leaves_and_an_undo_brings_the_pair_back() -> None:
    john, jhon, jon = register_patient(), register_patient("Jhon"), register_patient("Jon")
    look(john)
    done = merge(john, jhon)
    assert not DuplicateCandidate.objects.exists()
    look(john)  # the survivor's place
    assert pairs() == {frozenset(("Jhon", "Jon"))}
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    look(john)
    assert frozenset(("John", "Jhon")) in pairs()
    assert jon.pk


def test_a_decision_about_the_retired_record_applies_to_the_survivor() -> None:
    john, jhon, other = register_patient(), register_patient("Jhon"), register_patient("Jon")
    services.mark_not_duplicate(by=SYSTEM, patient_id=john.pk, other_id=other.pk)
    look(other)
    assert pairs() == {frozenset(("Jhon", "Jon"))}
    merge(john, jhon)
    assert not DuplicateCandidate.objects.exists()
    look(jhon)
    assert not DuplicateCandidate.objects.exists()


def test_absent_patients_are_not_searched_for() -> None:
    with pytest.raises(NotFound):
        services.refresh_duplicate_candidates(by=SYSTEM, patient_id=new_id())


def test_only_administrators_and_managers_see_the_queue(staff: dict[str, User]) -> None:
    john, _ = register_patient(), register_patient("Jhon")
    look(john)
    assert {role for role, user in staff.items() if selectors.duplicate_candidates(visible_to=user)} == {"admin", "manager"}
    assert [selectors.duplicate_candidate_count(staff[role]) for role in ("admin", "manager", "nurse")] == [1, 1, 0]


def test_the_likeliest_come_first_and_of_equals_the_longest_known() -> None:
    people = [register_patient(name, born=date(1960 + year, 3, 4)) for year in range(3) for name in ("Jon", "John")]
    twice = [register_patient("Ann", "Roe", date(1971, 1, 1)), register_patient("Ann", "Roe", date(1971, 1, 1))]
    for patient in (*people, *twice):
        look(patient)
    queue = list(selectors.duplicate_candidates(visible_to=SYSTEM))
    assert queue[0].score == 1.0
    assert all((-one.score, one.found_at) <= (-next_.score, next_.found_at) for one, next_ in pairwise(queue))


@pytest.mark.parametrize(
    "wrong",
    [{"low": F("high"), "high": F("low")}, {"score": 1.5}, {"score": -0.1}, {"reasons": []}],
    ids=str,
)
def test_the_database_refuses_a_pair_that_cannot_be(wrong: dict[str, Any]) -> None:
    john, _ = register_patient(), register_patient("Jhon")
    look(john)
    with pytest.raises(IntegrityError), transaction.atomic():
        DuplicateCandidate.objects.update(**wrong)


def test_the_database_refuses_a_pair_twice_and_one_that_is_settled() -> None:
    john, jhon, retired, other = (
        register_patient(),
        register_patient("Jhon"),
        register_patient("Ann", "Roe"),
        register_patient("Bea", "Lee"),
    )
    look(john)
    services.mark_not_duplicate(by=SYSTEM, patient_id=john.pk, other_id=other.pk)
    merge(retired, other)
    for one, two, name in (
        (john, jhon, "duplicate_candidate_once"),
        (john, other, "duplicate_candidate_not_told_apart"),
        (john, retired, "duplicate_candidate_not_merged"),
    ):
        low, high = sorted((one.pk, two.pk))
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            DuplicateCandidate.objects.create(low_id=low, high_id=high, score=0.9, reasons=["same_name"])
        assert refusal.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]
    with pytest.raises(IntegrityError), transaction.atomic():
        DuplicateScan.objects.create(pk=2)


# --- after the commit


@pytest.mark.django_db(transaction=True)
def test_whatever_changes_a_record_has_it_looked_at() -> None:
    john, jhon = register_patient(), register_patient("Jhon")
    hear()
    assert pairs() == {frozenset(("John", "Jhon"))}
    amend(jhon, last_name="Papadopoulos", date_of_birth=date(1951, 2, 20))
    hear()
    assert not DuplicateCandidate.objects.exists()
    amend(jhon, last_name="Doe", date_of_birth=date(1980, 5, 15))
    hear()
    assert pairs() == {frozenset(("John", "Jhon"))}
    done = merge(john, jhon)
    hear()
    assert not DuplicateCandidate.objects.exists()
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    hear()
    assert pairs() == {frozenset(("John", "Jhon"))}
    registration = services.Registration(first_name="Jon", last_name="Doe", date_of_birth=date(1980, 5, 15), gender="male")
    known = {"by": SYSTEM, "source": "import", "system": "elsewhere", "registration": registration}
    services.import_patient(ref="A", entries=[], **known)
    hear()
    assert len(pairs()) == 3


@pytest.mark.django_db(transaction=True)
def test_a_field_that_is_handed_over_after_an_undo_has_both_looked_at() -> None:
    retired, survivor = (
        register_patient("Jhon", "Papadopoulos", date(1951, 2, 20)),
        register_patient("Ann", "Lee", date(1971, 1, 1)),
    )
    register_patient("Jhon", "Roe", date(1951, 2, 20))
    done = merge(retired, survivor)
    amend(survivor, last_name="Roe")
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    hear()
    assert pairs() == set()
    (row,) = selectors.triage(done)
    services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    hear()
    assert len(pairs()) == 1


@pytest.mark.django_db(transaction=True)
def test_what_no_comparison_looks_at_is_not_looked_at() -> None:
    john, _ = register_patient(), register_patient("Jhon")
    OutboxEvent.objects.all().update(relayed_at=clock.now())
    amend(john, city="Oakland")
    hear()
    assert not DuplicateCandidate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_is_heard_twice_changes_nothing_more() -> None:
    register_patient()
    register_patient("Jhon")
    hear()
    before = list(DuplicateCandidate.objects.values())
    OutboxEvent.objects.filter(name="patient.registered").update(relayed_at=None)
    Delivery.objects.all().delete()
    hear()
    assert list(DuplicateCandidate.objects.values()) == before


# --- many at once


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_at_once_nothing_settled_stays_in_the_queue() -> None:
    for number in range(10):
        one, two, three = (register_patient(name, born=date(1900 + 13 * number, 3, 4)) for name in ("John", "Jhon", "Jon"))
        race(
            lambda: look(one),  # noqa: B023
            lambda: look(two),  # noqa: B023
            lambda: look(three),  # noqa: B023
            lambda: look(three),  # noqa: B023
            lambda: services.mark_not_duplicate(by=SYSTEM, patient_id=one.pk, other_id=three.pk),  # noqa: B023
            lambda: merge(one, two),  # noqa: B023
            lambda: amend(three, last_name="Papadopoulos", date_of_birth=date(1907 + 13 * number, 11, 28)),  # noqa: B023
        )
        apart = set(NotDuplicate.objects.values_list("low", "high"))
        queue = set(DuplicateCandidate.objects.values_list("low", "high"))
        assert not apart & queue
        assert not DuplicateCandidate.objects.exclude(low__merged_into=None, high__merged_into=None).exists()
        for patient in (one, two, three):  # as the listeners do afterwards
            look(patient)
        assert not DuplicateCandidate.objects.exists()
        assert Merge.objects.count() == number + 1


# --- going through everybody


def sweep(**options: Any) -> str:
    out = StringIO()
    call_command("find_duplicates", stdout=out, **options)
    return out.getvalue()


def test_a_sweep_finds_every_pair_and_a_second_changes_nothing() -> None:
    for year in range(3):
        for name in ("John", "Jhon"):
            register_patient(name, born=date(1960 + 13 * year, 3, 4))
    assert "6 patients were compared; this run made 3 changes" in sweep()
    before = list(DuplicateCandidate.objects.order_by("pk").values())
    output = sweep()
    assert "6 patients were compared; this run made 0 changes" in output
    assert "3 pairs wait" in output
    assert list(DuplicateCandidate.objects.order_by("pk").values()) == before


def test_a_stopped_sweep_goes_on_where_it_was_and_anew_it_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicate_scan, "_BATCH", 2)
    for number in range(7):
        register_patient(f"Person{number}", born=date(1960 + number, 3, 4))
    seen: list[int] = []

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        duplicate_scan.scan(by=SYSTEM, watch=stop)
    assert DuplicateScan.objects.get().looked_at == 4
    again: list[int] = []
    done = duplicate_scan.scan(by=SYSTEM, watch=lambda looked_at, total: again.append(looked_at))
    assert (again[0], again[-1], done.looked_at) == (4, 7, 7)
    with pytest.raises(KeyboardInterrupt):
        duplicate_scan.scan(by=SYSTEM, watch=stop)
    assert "7 patients were compared" in sweep(anew=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("twins", "batch"), [(15, 10), pytest.param(120, duplicate_scan._BATCH, marks=pytest.mark.full)])
def test_a_sweep_that_was_killed_is_gone_on_with(twins: int, batch: int) -> None:
    for number in range(twins):
        for name in ("John", "Jhon"):
            register_patient(name, f"Doe{chr(97 + number % 26)}{number // 26}x", born=date(1950, 1, 1 + number % 28))
    environment = os.environ | {"HIMS_ENV": "test", "KILLED": connection.settings_dict["NAME"], "BATCH": str(batch)}
    known = sessions()
    runner: Any = subprocess.Popen([sys.executable, "-c", _RUNNER], stdout=subprocess.PIPE, text=True, env=environment)
    while int(runner.stdout.readline()) < batch + 3:
        pass
    runner.send_signal(signal.SIGKILL)
    runner.wait(10)
    await_end_of_others(known)
    place = DuplicateScan.objects.get()
    assert (place.looked_at, place.finished_at) == (batch, None)
    assert f"{2 * twins} patients were compared" in sweep()
    whole = DuplicateCandidate.objects.count()
    assert whole >= twins
    assert "0 changes" in sweep()
    assert DuplicateCandidate.objects.count() == whole


_RUNNER = """
import django, os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "hims.settings.test"
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = os.environ["KILLED"]
from apps.access.actor import SYSTEM
from apps.patients.matching import duplicate_scan
duplicate_scan._BATCH = int(os.environ["BATCH"])
def watch(done, total):
    print(done, flush=True)
    if done == duplicate_scan._BATCH + 3:
        time.sleep(60)  # until it is killed
duplicate_scan.scan(by=SYSTEM, watch=watch)
"""


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_do_not_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.common.locks._ATTEMPTS", 1)

    def second() -> str:
        try:
            return sweep()
        except CommandError as refusal:
            return str(refusal)

    with advisory_lock(LockName.DUPLICATE_SCAN, ""):
        (output,) = race(second)
    assert "in progress" in output


# --- what it costs


def statements(patient: Patient) -> int:
    with CaptureQueriesContext(connection) as caught:
        look(patient)
    return len(caught)


def test_looking_costs_the_same_few_statements_however_many_look_alike() -> None:
    counts = []
    for _ in range(4):
        counts.append(statements(register_patient("Jhon")))
        register_patient("John")
    assert counts[0] <= 6  # no similar patient: nothing is locked or written
    assert counts[1] == counts[2] == counts[3] <= 18


@pytest.mark.full
def test_the_first_page_of_the_queue_is_read_off_its_index_and_looking_stays_quick_among_fifty_thousand() -> None:
    bulk_patients.insert_patients(50_000)
    people = list(Patient.objects.order_by("seq")[:200])
    took = []
    for _ in range(3):
        begun = time.monotonic()
        for patient in people:
            look(patient)
        took.append((time.monotonic() - begun) / len(people))
    print(f"median of three: {median(took):.3f} s a patient, limit 0.1 s")
    assert median(took) < 0.1
    with connection.cursor() as cursor:
        cursor.execute(_MANY_PAIRS)
        cursor.execute("ANALYZE patients_duplicatecandidate")
    plan = selectors.duplicate_candidates(visible_to=SYSTEM)[:50].explain()
    assert "duplicate_candidate_queue" in plan, plan
    assert "Sort" not in plan, plan


_MANY_PAIRS = """
INSERT INTO patients_duplicatecandidate (id, low_id, high_id, score, reasons, found_at)
SELECT gen_random_uuid(), id, next, 0.8 + random() / 5, ARRAY['same_name'], now()
FROM (SELECT id, lead(id) OVER (ORDER BY id) AS next FROM patients_patient) p WHERE next IS NOT NULL ON CONFLICT DO NOTHING
"""
