"""A prepared list of a table that exists in these tests alone: its scope, filters, orders, pages, cursors and totals."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, models
from django.db.models import Q
from django.test.utils import isolate_apps

from apps.common.models import BaseModel
from apps.common.prepared import Slot
from apps.common.row_counters import RowCounter
from apps.common.row_counters.operation import create
from apps.rest import scoped_list
from apps.rest.paging import Page, Total, Window
from apps.rest.scoped_list import ScopedList
from apps.rest.tests.callers import Caller, user

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANNA, BEA = UUID(int=1), UUID(int=2)  # fixed: they are part of the names of tests, which all processes must share


class LampRows(models.QuerySet[Any]):
    def visible_to(self, actor: Any, at: Any) -> "LampRows":
        if actor.role == "billing":
            return self.none()
        return self.exclude(pk__in=self.model.objects.hidden_from(actor, at).values("pk"))

    def hidden_from(self, actor: Any, at: Any) -> "LampRows":
        """A secret lamp is shown to its keeper, until an instant."""
        return self.filter(is_secret=True).exclude(keeper=actor.id, kept_until__gt=at)


with isolate_apps("apps.rest"):

    class Lamp(BaseModel):
        status = models.CharField(max_length=10)
        owner = models.UUIDField()
        lit_at = models.DateTimeField()
        is_secret = models.BooleanField(default=False)
        keeper = models.UUIDField(null=True)
        kept_until = models.DateTimeField(null=True)

        objects = LampRows.as_manager()

        class Meta:
            app_label = "rest"
            db_table = "test_lamp"


COUNTER = RowCounter("test_lamp_rowcounter", counted="test_lamp")
LAMPS = ScopedList(
    Lamp,
    columns=("id", "status", "owner", "lit_at"),
    orders={"newest": ("-lit_at", "-id"), "oldest": ("lit_at", "id")},
    filters={"owner": Q(owner=Slot("owner")), "status": Q(status=Slot("status"))},
    owner_filters=("owner",),
    counter=COUNTER,
)
KEEPER = user("nurse")
NURSE = user("nurse")


@pytest.fixture(autouse=True)
def lamps(db: None) -> list[Any]:
    """Twelve lamps, the newest first. Every fourth is secret; four share one instant with another."""
    with connection.schema_editor() as editor:
        editor.create_model(Lamp)
        editor.execute(create(COUNTER), params=None)
    made = [
        Lamp(
            status=("on", "off", "dim")[number % 3],
            owner=(ANNA, BEA)[number % 2],
            lit_at=NOON + timedelta(minutes=number // 2),
            is_secret=number % 4 == 0,
            keeper=KEEPER.id,
            kept_until=datetime(2100, 1, 1, tzinfo=UTC),
        )
        for number in range(12)
    ]
    Lamp.objects.bulk_create(made)
    return sorted(made, key=lambda row: (row.lit_at, row.pk), reverse=True)


def ids(rows: Iterable[Any]) -> list[UUID]:
    return [row["id"] if isinstance(row, dict) else row.pk for row in rows]


def expected(lamps: list[Any], by: Caller, order: str = "newest", **filters: Any) -> list[UUID]:
    wanted = [
        row
        for row in lamps
        if (not row.is_secret or by.id == KEEPER.id)
        and all(getattr(row, name) in (value if isinstance(value, list) else [value]) for name, value in filters.items())
    ]
    return ids(wanted if order == "newest" else reversed(wanted))


FILTERS: list[dict[str, Any]] = [
    {},
    {"owner": ANNA},
    {"status": "on"},
    {"status": ["on"]},
    {"status": ["on", "dim"]},
    {"status": ["dim", "on", "off"]},
    {"owner": BEA, "status": "off"},
    {"owner": BEA, "status": ["off", "dim"]},
    {"status": "broken"},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("by", [KEEPER, NURSE], ids=["keeper", "nurse"])
def test_pages_by_number_and_by_cursor_show_what_the_actor_may_see_in_order(
    lamps: list[Any], by: Caller, order: str, filters: dict[str, Any]
) -> None:
    rows = expected(lamps, by, order, **filters)
    bound = LAMPS.bind(by, order=order, **filters)
    whole = bound.page(Window(0, 20))
    assert (ids(whole.rows), whole.total, whole.next) == (rows, Total(len(rows)), None)
    pages = [bound.page(Window(offset, 3)) for offset in range(0, 15, 3)]
    assert ids(row for page in pages for row in page.rows) == rows
    assert {page.total for page in pages} == {Total(len(rows))}
    page, read = bound.page(Window(0, 2)), []
    while True:
        read += ids(page.rows)
        if page.next is None:
            break
        page = bound.page(Window(0, 2, after=page.next))
        assert page.total is None
    assert read == rows


def test_a_filter_that_is_none_does_not_filter(lamps: list[Any]) -> None:
    assert ids(LAMPS.bind(KEEPER, owner=None, status=None).page(Window()).rows) == ids(lamps)


def test_a_row_has_the_declared_columns() -> None:
    (row,) = LAMPS.bind(KEEPER).page(Window(0, 1)).rows
    assert list(row) == ["id", "status", "owner", "lit_at"]


def test_one_statement_serves_every_actor_of_a_role_with_their_own_id(django_assert_num_queries: Any) -> None:
    for by, shown in ((KEEPER, 12), (NURSE, 9), (user("nurse"), 9), (KEEPER, 12)):
        with django_assert_num_queries(1):  # the first page holds all: nothing is counted
            assert len(LAMPS.bind(by).page(Window(0, 20)).rows) == shown


def test_what_an_instant_ended_is_hidden_at_once() -> None:
    assert LAMPS.bind(KEEPER).page(Window()).total == Total(12)
    Lamp.objects.update(kept_until=NOON - timedelta(days=365 * 20))
    assert LAMPS.bind(KEEPER).page(Window()).total == Total(9)


def test_a_role_that_sees_nothing_gets_an_empty_page_without_a_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        for filters in FILTERS:
            bound = LAMPS.bind(user("billing"), **filters)
            assert (bound.page(Window()), bound.total()) == (Page([], total=Total(0)), Total(0))
            assert list(bound.page(Window(40, 20)).rows) == []


@pytest.mark.parametrize(("offset", "statements"), [(0, 2), (3, 2), (12, 1), (30, 1)])
def test_a_page_costs_two_statements_and_one_past_the_end(django_assert_num_queries: Any, offset: int, statements: int) -> None:
    LAMPS.bind(KEEPER).page(Window(offset, 3))
    with django_assert_num_queries(statements):
        page = LAMPS.bind(KEEPER).page(Window(offset, 3))
    assert page.total == Total(12)


@pytest.mark.parametrize(
    ("most", "filters", "total"),
    [
        (5, {}, Total(9)),  # a list without a filter is exact, from the counter
        (4, {"status": ["on", "dim"]}, Total(4, is_estimate=True)),
        (7, {"status": ["on", "dim"]}, Total(7, is_estimate=True)),
        (8, {"status": ["on", "dim"]}, Total(6)),
        (12, {"owner": ANNA}, Total(3)),
    ],
)
def test_a_filtered_list_is_counted_up_to_a_limit_without_hidden_rows(
    monkeypatch: pytest.MonkeyPatch, most: int, filters: dict[str, Any], total: Total
) -> None:
    monkeypatch.setattr(scoped_list, "COUNTED_UP_TO", most)
    assert LAMPS.bind(NURSE, **filters).total() == total


def test_past_the_limit_of_the_count_the_list_is_read_on(lamps: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoped_list, "COUNTED_UP_TO", 2)
    page = LAMPS.bind(KEEPER, status=["on", "off", "dim"]).page(Window(9, 3))
    assert (ids(page.rows), page.total) == (ids(lamps)[9:], Total(2, is_estimate=True))


@pytest.mark.parametrize(("limit", "statements"), [(11, 2), (12, 1), (13, 1)])
def test_a_first_page_that_holds_all_is_not_counted(django_assert_num_queries: Any, limit: int, statements: int) -> None:
    with django_assert_num_queries(statements):
        assert LAMPS.bind(KEEPER).page(Window(0, limit)).total == Total(12)


def test_one_row_is_found_only_by_those_who_may_see_it(lamps: list[Any]) -> None:
    secret = next(row for row in lamps if row.is_secret)
    assert LAMPS.instance(KEEPER, secret.pk).pk == secret.pk  # type: ignore[union-attr]
    assert LAMPS.instance(NURSE, secret.pk) is None
    assert LAMPS.instance(NURSE, uuid4()) is None
    assert LAMPS.instance(user("billing"), lamps[0].pk) is None


def test_a_list_of_one_status_is_ordered_by_the_index_that_begins_with_it() -> None:
    for order, by_status, by_time in (
        ("newest", "ORDER BY 2 ASC, 4 DESC, 1 DESC", "ORDER BY 4 DESC, 1 DESC"),
        ("oldest", "ORDER BY 2 DESC, 4 ASC, 1 ASC", "ORDER BY 4 ASC, 1 ASC"),
    ):  # the columns by their place: 2 is the status
        alone = LAMPS.bind(KEEPER, order=order, status="on")._statements.page._sql
        assert alone.endswith(by_status)
        assert '"status" = ANY(ARRAY[' in alone
        assert LAMPS.bind(KEEPER, order=order, status="on", owner=ANNA)._statements.page._sql.endswith(by_time)
        assert LAMPS.bind(KEEPER, order=order)._statements.page._sql.endswith(by_time)
