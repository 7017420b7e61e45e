"""After a test that commits, no row is left."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.patients.apps import ROW_COUNTER
from apps.patients.models import Patient
from hims.tests import factories, table_cleaner

pytestmark = pytest.mark.django_db(transaction=True)


def rows() -> dict[str, int]:
    """How many rows each table of the database has, as far as it has any, without those of migrations."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_stat_user_tables")
        counts = {}
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {name}")
            counts[name] = cursor.fetchone()[0]
    return {name: count for name, count in counts.items() if count and name not in {"django_migrations", *table_cleaner.KEPT}}


@pytest.fixture
def before() -> dict[str, int]:
    factories.create_staff()
    factories.register_patient()
    before = rows()
    assert before["accounts_user"] == 8
    return before


def test_no_row_is_left_of_a_test_that_commits(before: dict[str, int]) -> None:
    table_cleaner.empty_written_tables(TransactionTestCase())
    assert rows() == {}


def test_large_tables_are_left_to_django(before: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_cleaner, "SMALL", 1)
    table_cleaner.empty_written_tables(TransactionTestCase())
    assert rows() == {}


def test_what_migrations_wrote_stays(before: dict[str, int]) -> None:
    table_cleaner.empty_written_tables(TransactionTestCase())
    assert ContentType.objects.get_for_model(Patient).pk
    assert Permission.objects.exists()


def test_the_protected_rows_of_the_next_test_are_protected_again(before: dict[str, int]) -> None:
    table_cleaner.empty_written_tables(TransactionTestCase())
    factories.register_patient()
    assert ROW_COUNTER.total() == 1  # by trigger
    with pytest.raises(Exception, match="only grows"):
        AuditEvent.objects.update(at=clock.now())
    assert not User.objects.exists()


def test_the_space_of_rows_that_were_rolled_back_is_freed() -> None:
    def size() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_size('accounts_user')")
            return cursor.fetchone()[0]

    with transaction.atomic():
        names = {"first_name": "Ann", "last_name": "Lee", "role": "nurse"}
        users = [User(username=f"nurse.{number}", email=f"{number}@hims.test", **names) for number in range(2_000)]
        User.objects.bulk_create(users)
        transaction.set_rollback(True)
    assert size() > table_cleaner.GROWN
    table_cleaner.vacuum_grown_tables()
    assert size() == 0
