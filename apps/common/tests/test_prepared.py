"""Prepared statements live on Django's connection: in its transaction, in its log, and planned once."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.common import prepared
from apps.common.prepared import PreparedQuery

pytestmark = pytest.mark.django_db
_SUM = "SELECT %s::int + %s::int"


def added(first: int, second: int) -> int:
    with prepared.cursor() as cursor:
        cursor.execute(_SUM, [first, second])
        return cursor.fetchone()[0]


def test_a_statement_is_planned_once_for_all_its_values() -> None:
    assert [added(1, 2), added(3, 4)] == [3, 7]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement = %s", ["SELECT $1::int + $2::int"])
        assert cursor.fetchone() == (1,)


def test_it_counts_as_a_query_and_is_logged_with_its_values() -> None:
    with CaptureQueriesContext(connection) as caught:
        added(1, 2)
    assert [row["sql"] for row in caught] == ["SELECT 1::int + 2::int"]


def test_it_belongs_to_the_transaction_and_fails_as_django_does() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        added(2_000_000_000, 2_000_000_000)
    assert added(1, 1) == 2


def test_a_compiled_queryset_answers_as_the_queryset_does() -> None:
    of_model = PreparedQuery(ContentType.objects.filter(app_label="auth", model="\x01blank"), "\x01blank")
    assert of_model.instances("group") == [ContentType.objects.get(app_label="auth", model="group")]
    assert of_model.instances("permission") == [ContentType.objects.get(app_label="auth", model="permission")]
    assert of_model.instances("nothing") == []


def test_a_compiled_list_is_paged() -> None:
    named = ContentType.objects.filter(pk__gt=-77).order_by("model", "pk").values("model", "app_label")
    above = PreparedQuery(named, -77)
    expected = list(ContentType.objects.order_by("model", "pk").values("model", "app_label"))
    assert above.dicts(0, limit=3) == expected[:3]
    assert above.dicts(0, limit=2, offset=3) == expected[3:5]
    assert above.dicts(10**6, limit=3) == []


def test_a_blank_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="-78"):
        PreparedQuery(ContentType.objects.filter(pk__gt=-77), -78)
