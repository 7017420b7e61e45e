"""Many writers of the same patients at once: no deadlock, and nothing is left behind on a merged record."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.db.transaction import TransactionManagementError

from apps.access.actor import SYSTEM
from apps.common.errors import Invalid, Unavailable
from apps.common.tests.concurrency import race
from apps.patients import selectors, services
from apps.patients.lists import sql
from apps.patients.models import ChartEntry, Merge, NotDuplicate, Patient
from apps.patients.services import NewEntry, Registration
from apps.patients.tests.factories import chart, merge, register_patient

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12
KNOWN = Registration(first_name="Trans", last_name="Ferred", date_of_birth=date(1970, 1, 1), gender="other")


def apart(one: Patient, other: Patient) -> NotDuplicate:
    return services.mark_not_duplicate(by=SYSTEM, patient_id=one.pk, other_id=other.pk)


def transfer(ref: str, *entries: str) -> Patient:
    lines = [NewEntry(type="note", display=name, source_ref=name) for name in entries]
    arguments = {"by": SYSTEM, "source": "import", "system": "elsewhere", "ref": ref, "registration": KNOWN}
    return services.import_patient(entries=lines, **arguments).patient


def undo_last(patient: Patient) -> Merge | None:
    done = Merge.objects.filter(retired=patient, undone_at=None).first()
    return services.undo_merge(by=SYSTEM, merge_id=done.pk) if done else None


def test_writers_merges_and_undos_at_once_never_wait_in_a_circle() -> None:
    dice = random.Random(7)
    for number in range(ROUNDS):
        people = [transfer(f"{number}-{place}", f"{number}-{place}-first") for place in range(3)]
        dice.shuffle(people)
        one, two, three = people
        merge(one, two)
        actions: list[Callable[[], Any]] = [
            lambda: chart(one),  # noqa: B023
            lambda: chart(one, "allergy", "Latex"),  # noqa: B023
            lambda: services.amend(by=SYSTEM, patient_id=one.pk, changes={"last_name": "Other"}),  # noqa: B023
            lambda: undo_last(one),  # noqa: B023
            lambda: merge(two, three),  # noqa: B023
            lambda: merge(three, two),  # noqa: B023
            lambda: transfer(f"{number}-0", f"{number}-0-more"),  # noqa: B023
            lambda: apart(one, three),  # noqa: B023
        ]
        dice.shuffle(actions)
        race(*actions)
        for row in Patient.objects.exclude(merged_into=None):
            assert not ChartEntry.objects.filter(patient=row).exists()
            assert not row.merged_into.merged_into_id
    assert sql.total() == Patient.objects.unmerged().count()


def test_a_not_duplicate_decision_during_a_merge_leaves_nothing_with_the_retired_record() -> None:
    for number in range(ROUNDS):
        retired, survivor, other = register_patient(), register_patient(), register_patient("Other")
        in_order = (retired, other) if number % 2 else (other, retired)
        _, outcome = race(lambda: merge(retired, survivor), lambda: apart(*in_order))  # noqa: B023
        assert not NotDuplicate.objects.filter(Q(low=retired) | Q(high=retired)).exists()
        if isinstance(outcome, NotDuplicate):
            pair = NotDuplicate.objects.get(pk=outcome.pk)
            assert {pair.low_id, pair.high_id} == {survivor.pk, other.pk}
        else:
            assert isinstance(outcome, selectors.RecordMerged)


def test_a_record_in_a_merge_is_not_marked_as_not_a_duplicate_and_the_refusal_names_the_survivor() -> None:
    retired, survivor, other = register_patient(), register_patient(), register_patient("Other")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge(retired, survivor)
            decision = pool.submit(race, lambda: apart(retired, other))
            with pytest.raises(TimeoutError):
                decision.result(timeout=0.5)
        (refusal,) = decision.result()
    assert isinstance(refusal, selectors.RecordMerged)
    assert refusal.details["survivor_id"] == survivor.pk
    assert not NotDuplicate.objects.exists()


def test_two_records_that_became_one_meanwhile_are_not_marked_as_different() -> None:
    retired, survivor = register_patient(), register_patient()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge(retired, survivor)
            decision = pool.submit(race, lambda: apart(retired, survivor))
            with pytest.raises(TimeoutError):
                decision.result(timeout=0.5)
        (refusal,) = decision.result()
    assert isinstance(refusal, selectors.RecordMerged)
    assert not NotDuplicate.objects.exists()


def test_two_registrations_despite_the_same_matches_never_wait_in_a_circle() -> None:
    people = [register_patient(f"Jon{letter}").pk for letter in "abcd"]

    def register_despite(others: list[UUID], number: int) -> Patient:
        registration = replace(
            KNOWN, first_name="abcdefghijklmnopqrstuvwx"[number] * 8, date_of_birth=date(1930 + number, 3, 1 + number)
        )
        return services.register_despite_matches(by=SYSTEM, registration=registration, others=others).patient

    for number in range(ROUNDS):
        there, back = race(lambda: register_despite(people, number), lambda: register_despite(people[::-1], number + ROUNDS))  # noqa: B023
        for new in (there, back):
            assert NotDuplicate.objects.filter(Q(low=new) | Q(high=new)).count() == 4


@pytest.mark.parametrize("lock", [selectors.get_for_update, selectors.get_survivor_for_update])
def test_a_write_waits_for_a_transaction_that_has_locked_the_patient(lock: Callable[[Any, UUID], Patient]) -> None:
    patient = register_patient()

    def free() -> list[Patient]:
        with transaction.atomic():
            return list(Patient.objects.filter(pk=patient.pk).select_for_update(skip_locked=True))

    def wait() -> Patient:
        with transaction.atomic():
            return lock(SYSTEM, patient.pk)

    def one_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return bool(cursor.fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock(SYSTEM, patient.pk)
            assert race(free) == [[]]
            waiting = pool.submit(race, wait)
            while not waiting.done() and not one_waits():
                pass
            assert not waiting.done()
        assert waiting.result(30) == [patient]
    assert race(free) == [[patient]]


def test_a_patient_is_locked_inside_a_transaction_alone() -> None:
    with pytest.raises(TransactionManagementError):
        selectors.get_for_update(SYSTEM, register_patient().pk)


def test_records_that_lead_in_a_circle_are_an_error_and_not_an_endless_wait() -> None:
    one, other = register_patient(), register_patient()
    Patient.objects.filter(pk=one.pk).update(merged_into=other)
    Patient.objects.filter(pk=other.pk).update(merged_into=one)
    with pytest.raises(Unavailable), transaction.atomic():
        selectors.get_survivor_for_update(SYSTEM, one.pk)


# --- the same reference again


@pytest.mark.parametrize("belongs_to", ["survivor", "retired", ""])
@pytest.mark.parametrize("ref_of", ["retired", "survivor"])
def test_a_reference_that_is_transferred_again_is_found_where_it_stands_now(ref_of: str, belongs_to: str) -> None:
    retired, survivor = transfer("R", "R-1"), transfer("S", "S-1")
    done = merge(retired, survivor)
    ref = ref_of[0].upper()
    transfer(ref, f"{ref}-2")  # written while the two were one
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    (row,) = selectors.triage(done)
    if belongs_to:
        services.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to=belongs_to)
    before = list(ChartEntry.objects.order_by("pk").values_list("patient", "source_ref"))
    assert transfer(ref, f"{ref}-1", f"{ref}-2") == {"R": retired, "S": survivor}[ref]
    assert list(ChartEntry.objects.order_by("pk").values_list("patient", "source_ref")) == before
    transfer(ref, f"{ref}-2", f"{ref}-3")
    assert ChartEntry.objects.get(source_ref=f"{ref}-3").patient == {"R": retired, "S": survivor}[ref]


def test_a_reference_that_stands_in_a_strangers_chart_is_refused_and_named() -> None:
    transfer("A", "A-1")
    with pytest.raises(Invalid) as refusal:
        transfer("B", "A-1")
    assert refusal.value.details["field"] == "source_ref"
    lines = [NewEntry(type="note", display="x", source_ref=ref) for ref in ("A-1", "B-1")]
    done = services.import_patient(
        by=SYSTEM, source="import", system="elsewhere", ref="B", registration=KNOWN, entries=lines, strict=False
    )
    assert (done.added, [row.source_ref for row in done.refused]) == (("B-1",), ["A-1"])
