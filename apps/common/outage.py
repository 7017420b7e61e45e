"""Which exceptions mean that a part of the system is unavailable or full: the caller gets 503 with the time to retry."""

import errno

from django.db import Error, InterfaceError, OperationalError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
# https://www.postgresql.org/docs/current/errcodes-appendix.html; psycopg raises these two as InternalError.
_READ_ONLY_TRANSACTION = "25006"
_IDLE_IN_TRANSACTION_TIMEOUT = "25P03"


def is_outage(exception: BaseException | None) -> bool:
    """Returns True if the database is unavailable, restarting, overloaded, read-only or full, or if the disk is full.

    A statement that exceeded a time limit counts: PostgreSQL reports it as an OperationalError.
    """
    if isinstance(exception, (OperationalError, InterfaceError)):
        return True
    if isinstance(exception, Error):
        return getattr(exception.__cause__, "sqlstate", None) in (_READ_ONLY_TRANSACTION, _IDLE_IN_TRANSACTION_TIMEOUT)
    return isinstance(exception, OSError) and exception.errno in _NO_SPACE
