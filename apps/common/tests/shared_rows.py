"""Rows that are slow to write and that several tests read."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker


@contextmanager
def shared_rows(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rolls back, at the end of the block, what was written in it: for a fixture of a class whose tests do not commit.

    Each of the tests runs in a savepoint of this transaction, so that no other test sees what it changes.
    """
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
