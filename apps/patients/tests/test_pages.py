"""Paging through patients while others are registered."""

from typing import Any
from urllib.parse import urlencode

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import caller
from apps.patients import services
from apps.patients.tests.factories import admit

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(ward: dict[str, User]) -> Any:
    return caller(ward["receptionist"])


def page(desk: Any, **query: Any) -> tuple[list[str], dict[str, Any]]:
    data = desk.get(f"/patients?{urlencode({'limit': 2} | query)}").json()["data"]
    return [row["first_name"] for row in data["patients"]], data["pagination"]


@pytest.mark.parametrize("query", [{}, {"status": "active"}, {"search": "doe"}, {"search": "doe", "status": "active"}], ids=str)
def test_a_registration_between_two_pages_repeats_no_row(desk: Any, query: dict[str, str]) -> None:
    for name in ("Ann", "Bea", "Cora", "Dora", "Edna"):
        admit(name)
    seen, pagination = page(desk, **query)
    while pagination["next_cursor"]:
        admit(f"New{len(seen)}")
        more, pagination = page(desk, cursor=pagination["next_cursor"], **query)
        assert set(pagination) == {"limit", "next_cursor"}
        seen += more
    assert seen == ["Edna", "Dora", "Cora", "Bea", "Ann"]


def test_a_patient_who_leaves_the_list_between_two_pages_shifts_nothing(desk: Any) -> None:
    people = [admit(name) for name in ("Ann", "Bea", "Cora", "Dora", "Edna")]
    first, pagination = page(desk, status="active")
    services.deactivate(by=SYSTEM, patient_id=people[4].pk)
    second, _ = page(desk, cursor=pagination["next_cursor"], status="active")
    assert (first, second) == (["Edna", "Dora"], ["Cora", "Bea"])


def test_pages_by_number_name_the_cursor_too_and_count_as_before(desk: Any) -> None:
    for name in ("Ann", "Bea", "Cora"):
        admit(name)
    _, pagination = page(desk)
    assert {**pagination, "next_cursor": bool(pagination["next_cursor"])} == {
        **{"page": 1, "limit": 2, "total": 3, "pages": 2, "next_cursor": True},
    }
    link = desk.get(f"/patients?limit=2&cursor={pagination['next_cursor']}").headers["Link"]
    assert 'rel="first"' in link
    assert "next_cursor" in page(desk, page=2)[1]
    assert page(desk, page=2)[1]["next_cursor"] is None


@pytest.mark.parametrize("query", [{}, {"search": "doe"}], ids=str)
@pytest.mark.parametrize("wrong", ["x", "AAAA", "", "of the other list"])
def test_a_cursor_that_no_page_has_is_refused(desk: Any, query: dict[str, str], wrong: str) -> None:
    for name in ("Ann", "Bea", "Cora"):
        admit(name)
    if wrong == "of the other list":
        wrong = page(desk, **({} if query else {"search": "doe"}))[1]["next_cursor"]
    reply = desk.get(f"/patients?{urlencode({'cursor': wrong} | query)}")
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"] == "cursor"
    both = desk.get(f"/patients?{urlencode({'cursor': page(desk, **query)[1]['next_cursor'], 'page': 2} | query)}")
    assert both.status_code == 400
