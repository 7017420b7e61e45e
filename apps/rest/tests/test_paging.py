from urllib.parse import quote
from uuid import UUID

import pytest
from django.http import QueryDict

from apps.common import clock
from apps.common.errors import Invalid
from apps.events.models import OutboxEvent
from apps.rest import paging
from apps.rest.paging import Position, Total, Window

PATH = "/v1/patients"


def read(query: str, *, offset_allowed: bool = False) -> Window:
    return paging.read(QueryDict(query), offset_allowed=offset_allowed)


def rels(query: str, total: Total, *, shown: int | None = None, offset_allowed: bool = False) -> dict[str, str]:
    """Query strings of the Link header, by rel."""
    window = read(query, offset_allowed=offset_allowed)
    there = max(0, min(window.limit, total.rows - window.offset))
    header = paging.links(PATH, QueryDict(query), window, total, there if shown is None else shown)
    links = {}
    for link in header.split(", "):
        target, rel = link.split("; rel=")
        assert target.startswith(f"<{PATH}?")
        links[rel.strip('"')] = target[len(PATH) + 2 : -1]
    return links


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ("", Window(0, 20)),
        ("page=3", Window(40, 20)),
        ("page=2&limit=50", Window(50, 50)),
        ("limit=1", Window(0, 1)),
        ("limit=100", Window(0, 100)),
        ("limit=101", Window(0, 100)),
        ("limit=1000000000", Window(0, 100)),
        ("limit=99999999999999999999999", Window(0, 100)),
        ("page=2&limit=5000", Window(100, 100)),
        ("page=007", Window(120, 20)),
        ("page=21474836&limit=100", Window(2147483500, 100)),
    ],
)
def test_pages(query: str, window: Window) -> None:
    assert read(query) == window


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1e3", "limit"),
        ("limit=+5", "limit"),
        ("limit=%205", "limit"),
        ("limit=%D9%A3", "limit"),  # an Arabic digit
        ("limit=%C2%B2", "limit"),  # a superscript
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=first", "page"),
        ("page=21474837&limit=100", "page"),
        ("page=99999999999999999999999", "page"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_name(query: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(query)
    assert refused.value.details["field"] == field


def test_some_lists_take_an_offset() -> None:
    assert read("offset=30&limit=20", offset_allowed=True) == Window(30, 20, by_offset=True)
    assert read("offset=30&limit=20", offset_allowed=True).page == 2


@pytest.mark.parametrize(
    "query", ["offset=10&page=2", "offset=-1", "offset=x", "offset=99999999999", "offset=999999999999999999999"]
)
def test_an_offset_that_cannot_be_is_refused(query: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(query, offset_allowed=True)
    assert refused.value.details["field"] == "offset"


@pytest.mark.parametrize(
    ("query", "rows", "block"),
    [
        ("", 0, {"page": 1, "limit": 20, "total": 0, "pages": 0}),
        ("", 20, {"page": 1, "limit": 20, "total": 20, "pages": 1}),
        ("page=2", 21, {"page": 2, "limit": 20, "total": 21, "pages": 2}),
        ("page=9&limit=500", 21, {"page": 9, "limit": 100, "total": 21, "pages": 1}),
    ],
)
def test_the_block_says_where_one_is(query: str, rows: int, block: dict[str, int]) -> None:
    assert paging.block(read(query), Total(rows)) == block


def test_the_block_of_an_offset_says_it() -> None:
    assert paging.block(read("offset=5&limit=10", offset_allowed=True), Total(50))["offset"] == 5


def test_an_estimate_is_called_one() -> None:
    block = paging.block(read(""), Total(10_000, is_estimate=True))
    assert (block["total"], block["total_is_estimate"]) == (10_000, True)


def test_links_lead_round_the_list() -> None:
    assert rels("page=2&limit=10&status=active", Total(35)) == {
        "first": "status=active&page=1&limit=10",
        "prev": "status=active&page=1&limit=10",
        "next": "status=active&page=3&limit=10",
        "last": "status=active&page=4&limit=10",
    }


def test_the_ends_have_one_neighbour() -> None:
    assert set(rels("limit=10", Total(35))) == {"first", "next", "last"}
    assert set(rels("page=4&limit=10", Total(35))) == {"first", "prev", "last"}
    assert rels("limit=10", Total(0)) == {"first": "page=1&limit=10", "last": "page=1&limit=10"}


def test_past_the_end_the_way_back_is_the_last_page() -> None:
    assert rels("page=9&limit=10", Total(35))["prev"] == "page=4&limit=10"
    assert "next" not in rels("page=9&limit=10", Total(35))


def test_an_offset_is_continued_as_an_offset() -> None:
    links = rels("offset=5&limit=10", Total(35), offset_allowed=True)
    assert (links["next"], links["prev"]) == ("offset=15&limit=10", "offset=0&limit=10")


def test_a_search_word_is_escaped_in_a_link() -> None:
    assert rels("search=a%26b%3E%22+%C3%A9", Total(100))["next"] == "search=a%26b%3E%22+%C3%A9&page=2&limit=20"


def test_a_link_keeps_each_value_of_a_repeated_parameter() -> None:
    kept = "status=scheduled&status=confirmed&doctor_id=7"
    assert rels(f"page=1&{kept}", Total(100))["next"] == f"{kept}&page=2&limit=20"
    place = Position.at(clock.now(), UUID(int=1))
    header = paging.cursor_links(PATH, QueryDict(f"cursor=x&{kept}"), Window(limit=20), place)
    assert header == (f'<{PATH}?{kept}&limit=20>; rel="first", <{PATH}?{kept}&limit=20&cursor={quote(place.cursor)}>; rel="next"')


def test_who_follows_next_comes_to_the_end_of_a_list_that_is_too_long_to_count() -> None:
    estimate = Total(10_000, is_estimate=True)
    assert "last" not in rels("", estimate)
    assert rels("page=500&limit=20", estimate, shown=20)["next"] == "page=501&limit=20"
    assert rels("page=700&limit=20", estimate, shown=20)["prev"] == "page=699&limit=20"
    assert "next" not in rels("page=700&limit=20", estimate, shown=7)
    assert "next" not in rels("page=701&limit=20", estimate, shown=0)


@pytest.mark.django_db
def test_a_filtered_list_is_counted_so_far_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNTED_UP_TO", 10)
    rows = [OutboxEvent(name="test.noted", payload={}, occurred_at=clock.now()) for _ in range(11)]
    OutboxEvent.objects.bulk_create(rows[:10])
    assert paging.capped(OutboxEvent.objects.all()) == Total(10)
    rows[10].save()
    assert paging.capped(OutboxEvent.objects.all()) == Total(10, is_estimate=True)
    assert paging.exact(OutboxEvent.objects.all()) == Total(11)
