"""Which exceptions are an outage (503), and which a fault (500)."""

import errno
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from psycopg import errors as pg

from apps.common import disk
from apps.common.outage import is_outage


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("exception", "outage"),
    [
        (OperationalError("the connection is lost"), True),
        (InterfaceError("the connection is closed"), True),
        (caused_by(InternalError(), pg.ReadOnlySqlTransaction()), True),
        (caused_by(InternalError(), pg.IdleInTransactionSessionTimeout()), True),
        (caused_by(InternalError(), pg.InFailedSqlTransaction()), False),
        (InternalError(), False),
        (DataError(), False),
        (IntegrityError(), False),
        (ProgrammingError(), False),
        (OSError(errno.ENOSPC, "no space"), True),
        (OSError(errno.EDQUOT, "quota"), True),
        (OSError(errno.EACCES, "no"), False),
        (OSError("no number"), False),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), False),
        (pg.ReadOnlySqlTransaction(), False),  # outside Django's wrapper: a fault of the code
        (ValueError(), False),
        (None, False),
    ],
)
def test_an_outage_is_distinguished_from_a_fault(exception: Exception | None, outage: bool) -> None:
    assert is_outage(exception) is outage


def test_writes_stop_while_the_launcher_says_that_the_disk_is_full(settings: Any, tmp_path: Path) -> None:
    settings.HIMS_DATA_DIR = tmp_path
    assert not disk.is_full()
    (tmp_path / "disk-full").touch()
    assert disk.is_full()
    (tmp_path / "disk-full").unlink()
    assert not disk.is_full()
