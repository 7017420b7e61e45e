"""Pages by cursor: the form of a cursor, and the rows of a page of a plain queryset."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict

from apps.common.errors import Invalid
from apps.events.models import OutboxEvent
from apps.rest import paging
from apps.rest.paging import Page, Position, Total, Window

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID = UUID(int=7)


def read(text: str) -> Window:
    return paging.read(QueryDict(text))


@pytest.mark.parametrize("number", [0, 1, -1, 2**63 - 1, -(2**63), 1_767_268_800_000_000])
def test_a_cursor_is_the_position_of_the_last_row(number: int) -> None:
    place = Position(number, ID)
    assert read(f"cursor={place.cursor}").after == place


@pytest.mark.parametrize(
    "instant",
    [NOON, NOON + timedelta(microseconds=1), datetime(1850, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)],
)
def test_a_position_keeps_the_microsecond(instant: datetime) -> None:
    assert Position.at(instant, ID).instant == instant


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not-a-cursor",
        "é",
        Position(1, ID).cursor[:-4],
        Position(1, ID).cursor + "AAAA",
        urlsafe_b64encode(b"x" * 23).decode(),
        urlsafe_b64encode(b"x" * 25).decode(),
    ],
)
def test_a_cursor_that_no_page_has_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(f"cursor={cursor}")
    assert refusal.value.details["field"] == "cursor"


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_a_cursor_outside_the_calendar_is_refused_by_name(number: int) -> None:
    with pytest.raises(Invalid) as refusal:
        _ = Position(number, ID).instant
    assert refusal.value.details["field"] == "cursor"


def test_a_cursor_replaces_a_page_number() -> None:
    with pytest.raises(Invalid) as refusal:
        read(f"cursor={Position(1, ID).cursor}&page=1")
    assert refusal.value.details["issue"] == "Send either page or cursor, not both."
    assert read(f"cursor={Position(1, ID).cursor}&limit=5") == Window(0, 5, after=Position(1, ID))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("page=33554432&limit=64", ""),
        ("page=33554433&limit=64", "page"),
        ("page=2147483648&limit=1", ""),
        ("page=2147483649&limit=1", "page"),
        ("offset=2147483648", ""),
        ("offset=2147483649", "offset"),
        ("page=999999999999999", "page"),
        ("page=9999999999999999", "page"),
        ("limit=0", "limit"),
        ("page=0", "page"),
        ("offset=0", ""),
        ("page=٣", "page"),
        ("page=%2B1", "page"),
        ("page=1_0", "page"),
        ("page=", "page"),
    ],
)
def test_a_page_ends_at_the_row_two_to_the_31st(text: str, field: str) -> None:
    if not field:
        assert paging.read(QueryDict(text), offset_allowed=True)
        return
    with pytest.raises(Invalid) as refusal:
        paging.read(QueryDict(text), offset_allowed=True)
    assert refusal.value.details["field"] == field


def test_the_links_of_a_page_by_cursor_keep_the_filters_and_drop_the_place() -> None:
    sent = QueryDict(f"status=a&status=b&cursor={Position(1, ID).cursor}&limit=500")
    link = paging.cursor_links("/v1/lamps", sent, read(sent.urlencode()), Position(2, ID))
    after = Position(2, ID).cursor.replace("=", "%3D")
    assert link == (
        '</v1/lamps?status=a&status=b&limit=100>; rel="first", '
        f'</v1/lamps?status=a&status=b&limit=100&cursor={after}>; rel="next"'
    )
    assert 'rel="next"' not in paging.cursor_links("/v1/lamps", sent, Window(), None)


def exact(rows: Any) -> Total:
    return paging.exact(rows)


@pytest.fixture
def events(db: None) -> list[OutboxEvent]:
    """Seven events, the newest first; several of one instant."""
    minutes = (5, 4, 4, 4, 3, 2, 1)
    made = [OutboxEvent(name="lamp.lit", payload={}, occurred_at=NOON + timedelta(minutes=one)) for one in minutes]
    OutboxEvent.objects.bulk_create(made)
    return sorted(made, key=lambda row: (row.occurred_at, row.pk), reverse=True)


def page(window: Window, count: Any = exact) -> Page:
    rows = OutboxEvent.objects.order_by("-occurred_at", "-id")
    return paging.page_of(rows, window, count, time="occurred_at")


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_a_caller_who_follows_the_cursors_reads_every_row_once(events: Sequence[OutboxEvent], limit: int) -> None:
    shown = page(Window(0, limit))
    read_rows, pages = [*shown.rows], 1
    while shown.next is not None:
        shown = page(Window(0, limit, after=shown.next))
        assert shown.total is None  # a page by cursor is not counted
        read_rows, pages = [*read_rows, *shown.rows], pages + 1
    assert [row.pk for row in read_rows] == [row.pk for row in events]
    assert pages == -(-7 // limit)


def test_rows_that_are_added_meanwhile_shift_nothing(events: Sequence[OutboxEvent]) -> None:
    first = page(Window(0, 3))
    OutboxEvent.objects.create(name="lamp.lit", payload={}, occurred_at=NOON + timedelta(hours=1))
    assert [row.pk for row in page(Window(0, 3, after=first.next)).rows] == [row.pk for row in events[3:6]]


def test_a_cursor_of_a_row_that_is_gone_still_leads_on(events: Sequence[OutboxEvent]) -> None:
    first = page(Window(0, 3))
    OutboxEvent.objects.filter(pk=events[2].pk).delete()
    assert [row.pk for row in page(Window(0, 2, after=first.next)).rows] == [row.pk for row in events[3:5]]
    assert page(Window(0, 2, after=Position.at(NOON, uuid4()))).rows == []


@pytest.mark.parametrize(
    ("window", "shown", "more"),
    [
        (Window(0, 7), 7, False),
        (Window(0, 6), 6, True),
        (Window(6, 2), 1, False),
        (Window(7, 2), 0, False),
        (Window(70, 2), 0, False),
    ],
)
def test_a_page_by_number_says_whether_more_rows_follow(
    events: Sequence[OutboxEvent], window: Window, shown: int, more: bool
) -> None:
    one = page(window)
    assert (len(one.rows), one.next is not None, one.total) == (shown, more, Total(7))


def test_past_the_end_of_the_count_an_uncounted_list_is_read_on(events: Sequence[OutboxEvent]) -> None:
    assert len(page(Window(5, 2), lambda rows: Total(5, is_estimate=True)).rows) == 2
    assert page(Window(5, 2), lambda rows: Total(5)).rows == []


def test_a_list_without_an_instant_has_no_next_cursor(events: Sequence[OutboxEvent]) -> None:
    one = paging.page_of(OutboxEvent.objects.order_by("id"), Window(0, 3), exact)
    assert (len(one.rows), one.next) == (3, None)


@pytest.mark.parametrize(
    ("most", "total"), [(8, Total(7)), (7, Total(7)), (6, Total(6, is_estimate=True)), (1, Total(1, is_estimate=True))]
)
def test_a_filtered_list_is_an_estimate_only_past_the_limit(
    events: Sequence[OutboxEvent], most: int, total: Total, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNTED_UP_TO", most)
    assert paging.capped(OutboxEvent.objects.order_by("id")) == total
