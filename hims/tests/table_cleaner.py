"""Empties the tables after a test that commits, as a pytest plugin.

Django truncates every table and creates the content types again, which takes 200 ms although such a test writes a dozen rows.
This deletes the rows of the tables that have any. It leaves large tables to Django: deleted rows stay in the
file of a table and slow down the tests that come next.
"""

from collections.abc import Iterator
from functools import cache

import pytest
from django.db import connection, transaction
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.test import TransactionTestCase
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from apps.common import domain

KEPT = {"django_content_type", "auth_permission"}  # written by `migrate`, and the same for every test
SMALL = 1024**2  # bytes
GROWN = 256 * 1024  # bytes

_django_teardown = TransactionTestCase._fixture_teardown


@pytest.fixture(autouse=True, scope="session")
def clean_only_written_tables() -> None:
    TransactionTestCase._fixture_teardown = empty_written_tables


@pytest.fixture(autouse=True, scope="module")
def vacuum_after_each_file(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    yield
    if connection.settings_dict["NAME"].startswith(TEST_DATABASE_PREFIX):  # a test of this or of an earlier file needed it
        with django_db_blocker.unblock():
            vacuum_grown_tables()


def vacuum_grown_tables() -> None:
    """Frees the space of rows that were deleted or rolled back: autovacuum is off in tests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_stat_user_tables WHERE pg_relation_size(relid) > %s", [GROWN])
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("VACUUM {}").format(sql.Identifier(table)))


def empty_written_tables(test: TransactionTestCase) -> None:
    """Replaces `TransactionTestCase._fixture_teardown`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        may_skip_triggers = cursor.fetchone() == ("on",)
        cursor.execute(_written_tables())
        written = cursor.fetchall()
        if may_skip_triggers and all(size < SMALL for _, size in written):
            # Foreign keys and the triggers that protect rows do not count here: all rows go, in any order.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for name, _ in written:
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            return
    _django_teardown(test)


@cache
def _written_tables() -> sql.Composable:
    """A query for the name and the size, in bytes, of each table with rows."""
    one = """
        SELECT {name}, (SELECT coalesce(sum(pg_total_relation_size(relid)), pg_total_relation_size({name}))
                        FROM pg_partition_tree({name}))
        WHERE EXISTS (SELECT FROM {table})"""
    counters = {counter.table for counter in domain.row_counters()}  # tables without a model
    models = {*connection.introspection.django_table_names(only_existing=True, include_views=False)}
    names = sorted((models | counters) - KEPT)
    return sql.SQL(" UNION ALL ").join(sql.SQL(one).format(name=sql.Literal(name), table=sql.Identifier(name)) for name in names)
