"""Prepared statements live on Django's connection: in its transaction, in its log, and planned once."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from django.db.models import Field, Value
from django.test.utils import CaptureQueriesContext
from psycopg.types.range import Range

from apps.common import prepared
from apps.common.prepared import PreparedQuery, Slot

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
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
    of_model = PreparedQuery(ContentType.objects.filter(app_label="auth", model=Slot("model")))
    assert of_model.instances(model="group") == [ContentType.objects.get(app_label="auth", model="group")]
    assert of_model.instances(model="permission") == [ContentType.objects.get(app_label="auth", model="permission")]
    assert of_model.instances(model="nothing") == []


def test_a_compiled_list_is_paged() -> None:
    named = ContentType.objects.filter(pk__gt=Slot("above")).order_by("model", "pk").values("model", "app_label")
    above = PreparedQuery(named)
    expected = list(ContentType.objects.order_by("model", "pk").values("model", "app_label"))
    assert above.dicts(above=0, limit=3) == expected[:3]
    assert above.dicts(above=0, limit=2, offset=3) == expected[3:5]
    assert above.dicts(above=10**6, limit=3) == []
    assert above.dicts(above=0, limit=0) == []


def test_a_slot_in_a_subquery_and_in_an_exclusion_takes_the_value_of_the_run() -> None:
    named = ContentType.objects.filter(model=Slot("model")).values("pk")
    others = PreparedQuery(ContentType.objects.exclude(pk__in=named).order_by("pk").values("model"))
    for model in ("group", "user"):
        expected = list(ContentType.objects.exclude(model=model).order_by("pk").values("model"))
        assert others.dicts(model=model) == expected


@pytest.mark.parametrize("values", [{"below": 0}, {}, {"above": 0, "below": 0}])
def test_a_value_without_a_slot_and_a_slot_without_a_value_are_refused(values: dict[str, int]) -> None:
    above = PreparedQuery(ContentType.objects.filter(pk__gt=Slot("above")))
    with pytest.raises(ValueError, match=r"The slots are \['above'\]; missing or unknown: "):
        above.instances(**values)


def test_the_actor_and_the_instant_are_given_to_statements_that_need_neither() -> None:
    by_model = PreparedQuery(ContentType.objects.filter(model=Slot("model")).values("model"))
    assert by_model.dicts(model="group", actor_id=UUID(int=1), now=NOON) == [{"model": "group"}]
    with pytest.raises(ValueError, match="model"):
        by_model.dicts(actor_id=UUID(int=1), now=NOON)


@pytest.mark.parametrize(
    "value",
    [NOON, NOON.date(), UUID(int=7), [UUID(int=7)], Range(NOON, None)],
    ids=["instant", "date", "id", "list of ids", "period"],
)
def test_an_instant_or_an_id_that_is_no_slot_is_refused_by_its_value(value: Any) -> None:
    shown = ContentType.objects.annotate(shown=Value(value, output_field=Field())).values("model", "shown")
    with pytest.raises(ValueError, match=re.escape(repr(value))):
        PreparedQuery(shown)
