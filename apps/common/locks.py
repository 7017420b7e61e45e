"""Advisory locks of PostgreSQL: work that one transaction, or one run of a command, does at a time.

A lock has a name from `LockName` and, for locks of a kind, the thing that is locked. The name is part of the number that
PostgreSQL locks, so that two uses never share a lock. All advisory locks are taken here.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum, unique
from hashlib import blake2b
from uuid import UUID

from django.db import connection
from django.db.transaction import TransactionManagementError

from apps.common import prepared

_ATTEMPTS = 50  # tenths of a second
_BITS = 48  # of a key, for the thing; the bits above hold the name


@unique
class LockName(IntEnum):
    """What is locked. A number is never used again: another version of HIMS may run at the same time."""

    AUDIT_SEALING = 1
    AUDIT_VERIFICATION = 2
    UNUSUAL_READING = 3
    DATABASE_ROLES = 4
    ADMINISTRATORS = 5
    SIGN_IN_TRIES = 6  # of one address or name
    IDEMPOTENCY_KEY = 7  # of one key of one caller
    ICD_RELEASE = 8
    COMMON_PREFIXES = 9
    LIKELY_DUPLICATES = 10  # of one value that two records of one person share
    DUPLICATE_SCAN = 11
    SYNTHEA_IMPORT = 12
    APPOINTMENT_PLACE = 13  # of one doctor or room
    FREED_SLOT = 14  # of one freed time
    SANDBOX = 15
    DRUG_CATALOGUE = 16
    DRUG_KNOWLEDGE = 17


class AlreadyRunning(Exception):
    """Another run has the lock."""


def key_of(name: LockName, thing: UUID | str | bytes = b"") -> int:
    """Returns the number that PostgreSQL locks, as a bigint.

    Two things of one name share a number with a probability of 2 ** -48; then one waits for the other for no reason.
    """
    value = thing.bytes if isinstance(thing, UUID) else thing.encode() if isinstance(thing, str) else thing
    return name << _BITS | int.from_bytes(blake2b(value, digest_size=_BITS // 8).digest())


def lock(name: LockName, thing: UUID | str | bytes = b"") -> None:
    """Waits until no other transaction has the lock, then keeps others from it until this transaction ends.

    Raises TransactionManagementError outside a transaction, as `try_lock` does: the lock would end with its own statement.
    """
    lock_all(name, [thing])


def lock_all(name: LockName, things: Iterable[UUID | str | bytes]) -> None:
    """Locks each of these things. Lock several in one call: the call sorts them, so that two callers never deadlock."""
    _require_transaction()
    keys = sorted({key_of(name, thing) for thing in things})
    if keys:
        with prepared.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


def try_lock(name: LockName, thing: UUID | str | bytes = b"") -> bool:
    """Takes the lock until the transaction ends if no other transaction has it. Returns whether it did; never waits."""
    _require_transaction()
    with prepared.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key_of(name, thing)])
        return bool(cursor.fetchone()[0])


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("This lock is for a transaction, and there is none.")


@contextmanager
def advisory_lock(name: LockName, message: str) -> Iterator[None]:
    """Keeps other runs out, across transactions.

    A killed run's lock ends with its connection, which the server may notice a moment later. Raises AlreadyRunning.
    """
    key = key_of(name)
    with connection.cursor() as cursor:
        for _ in range(_ATTEMPTS):
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            if cursor.fetchone()[0]:
                break
            time.sleep(0.1)
        else:
            raise AlreadyRunning(message)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
