"""Two uses of advisory locks never share a lock, and a lock ends with its transaction."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from hypothesis import given
from hypothesis import strategies as st

from apps.common import locks
from apps.common.locks import AlreadyRunning, LockName, advisory_lock, key_of
from apps.common.tests.concurrency import run_concurrently

NAMES = st.sampled_from(list(LockName))
THINGS = st.one_of(st.uuids(), st.text(), st.binary())


@given(NAMES, THINGS, NAMES, THINGS)
def test_two_names_never_share_a_lock(one: LockName, a: UUID | str | bytes, other: LockName, b: UUID | str | bytes) -> None:
    assert key_of(one, a) >> 48 == one
    assert 0 < key_of(one, a) < 2**63
    if one != other:
        assert key_of(one, a) != key_of(other, b)


def test_one_thing_has_one_lock_and_two_things_have_two() -> None:
    place, other = uuid4(), uuid4()
    assert key_of(LockName.APPOINTMENT_PLACE, place) == key_of(LockName.APPOINTMENT_PLACE, UUID(str(place)))
    assert key_of(LockName.APPOINTMENT_PLACE, place) != key_of(LockName.APPOINTMENT_PLACE, other)


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_taken_by_one_transaction_and_free_after_it() -> None:
    def other() -> tuple[bool, bool]:
        with transaction.atomic():
            return locks.try_lock(LockName.FREED_SLOT, "09:00"), locks.try_lock(LockName.FREED_SLOT, "10:00")

    with transaction.atomic():
        locks.lock(LockName.FREED_SLOT, "09:00")
        assert run_concurrently(1, lambda _: other()) == [(False, True)]
    assert run_concurrently(1, lambda _: other()) == [(True, True)]


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused_because_it_would_protect_nothing() -> None:
    for take in (locks.lock, locks.try_lock):
        with pytest.raises(TransactionManagementError):
            take(LockName.FREED_SLOT, "09:00")


@pytest.mark.django_db(transaction=True)
def test_places_are_locked_in_one_order_whatever_the_order_of_the_caller() -> None:
    places = sorted((uuid4() for _ in range(4)), key=lambda place: key_of(LockName.APPOINTMENT_PLACE, place))

    def lock_from_the_last(_: int) -> None:
        with transaction.atomic():
            locks.lock_all(LockName.APPOINTMENT_PLACE, places[::-1])

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        locks.lock(LockName.APPOINTMENT_PLACE, places[-1])
        other = pool.submit(run_concurrently, 1, lock_from_the_last)
        assert locks_of_a_waiting_transaction() == 3  # it has the three others before it waits for the last
    other.result()


def locks_of_a_waiting_transaction() -> int:
    """Waits until a transaction of this database waits for an advisory lock, and returns how many it has."""
    statement = """
        WITH seen AS MATERIALIZED (
            SELECT pid, granted FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        )
        SELECT count(*) FILTER (WHERE granted), count(*) FROM seen WHERE pid IN (SELECT pid FROM seen WHERE NOT granted)
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement)
            granted, every = cursor.fetchone()
            if every:
                return int(granted)


@pytest.mark.django_db
def test_nothing_to_lock_locks_nothing() -> None:
    locks.lock_all(LockName.APPOINTMENT_PLACE, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_command_that_runs_already_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_ATTEMPTS", 1)

    def second() -> str:
        try:
            with advisory_lock(LockName.DUPLICATE_SCAN, "It runs already."):
                return "ran"
        except AlreadyRunning as refusal:
            return str(refusal)

    with advisory_lock(LockName.DUPLICATE_SCAN, ""):
        assert run_concurrently(1, lambda _: second()) == ["It runs already."]
    assert run_concurrently(1, lambda _: second()) == ["ran"]
