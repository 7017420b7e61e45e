"""The transaction of a service that refuses before it writes."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

from apps.common.errors import HimsError

P = ParamSpec("P")
T = TypeVar("T")


def refuses_before_writing(service: Callable[P, T]) -> Callable[P, T]:
    """Run a service in the caller's transaction without a savepoint, or in a transaction of its own.

    `transaction.atomic` inside a transaction, where every write with an Idempotency-Key runs, sends SAVEPOINT and RELEASE: two of
    the twelve round trips of a booking. A savepoint undoes what a refused service has written. Use this decorator only for a
    service that raises each of its refusals (HimsError) before its first write. Any other exception leaves the caller's
    transaction with nothing but a rollback.
    """

    @wraps(service)
    def in_transaction(*args: P.args, **kwargs: P.kwargs) -> T:
        if not connection.in_atomic_block:
            with transaction.atomic():
                return service(*args, **kwargs)
        try:
            return service(*args, **kwargs)
        except HimsError:
            raise
        except BaseException:
            transaction.set_rollback(True)
            raise

    return in_transaction
