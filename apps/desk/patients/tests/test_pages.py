"""Paging through patients while others are registered."""

from typing import Any
from urllib.parse import urlencode

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.patients import services
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


def page(receptionist_api: Any, **query: Any) -> tuple[list[str], dict[str, Any]]:
    data = receptionist_api.get(f"/patients?{urlencode({'limit': 2} | query)}").json()["data"]
    return [row["first_name"] for row in data["patients"]], data["pagination"]


@pytest.mark.parametrize("query", [{}, {"status": "active"}, {"search": "doe"}, {"search": "doe", "status": "active"}], ids=str)
def test_a_registration_between_two_pages_repeats_no_row(receptionist_api: Any, query: dict[str, str]) -> None:
    for name in ("Ann", "Bea", "Cora", "Dora", "Edna"):
        register_patient(name)
    seen, pagination = page(receptionist_api, **query)
    while pagination["next_cursor"]:
        register_patient(f"New{len(seen)}")
        more, pagination = page(receptionist_api, cursor=pagination["next_cursor"], **query)
        assert set(pagination) == {"limit", "next_cursor"}
        seen += more
    assert seen == ["Edna", "Dora", "Cora", "Bea", "Ann"]


def test_a_patient_who_leaves_the_list_between_two_pages_shifts_nothing(receptionist_api: Any) -> None:
    people = [register_patient(name) for name in ("Ann", "Bea", "Cora", "Dora", "Edna")]
    first, pagination = page(receptionist_api, status="active")
    services.deactivate(by=SYSTEM, patient_id=people[4].pk)
    second, _ = page(receptionist_api, cursor=pagination["next_cursor"], status="active")
    assert (first, second) == (["Edna", "Dora"], ["Cora", "Bea"])


def test_pages_by_number_name_the_cursor_too_and_count_as_before(receptionist_api: Any) -> None:
    for name in ("Ann", "Bea", "Cora"):
        register_patient(name)
    _, pagination = page(receptionist_api)
    assert {**pagination, "next_cursor": bool(pagination["next_cursor"])} == {
        **{"page": 1, "limit": 2, "total": 3, "pages": 2, "next_cursor": True},
    }
    link = receptionist_api.get(f"/patients?limit=2&cursor={pagination['next_cursor']}").headers["Link"]
    assert 'rel="first"' in link
    assert "next_cursor" in page(receptionist_api, page=2)[1]
    assert page(receptionist_api, page=2)[1]["next_cursor"] is None


@pytest.mark.parametrize("query", [{}, {"search": "doe"}], ids=str)
@pytest.mark.parametrize("wrong", ["x", "AAAA", "", "of the other list"])
def test_a_cursor_that_no_page_has_is_refused(receptionist_api: Any, query: dict[str, str], wrong: str) -> None:
    for name in ("Ann", "Bea", "Cora"):
        register_patient(name)
    if wrong == "of the other list":
        wrong = page(receptionist_api, **({} if query else {"search": "doe"}))[1]["next_cursor"]
    reply = receptionist_api.get(f"/patients?{urlencode({'cursor': wrong} | query)}")
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"] == "cursor"
    both = receptionist_api.get(
        f"/patients?{urlencode({'cursor': page(receptionist_api, **query)[1]['next_cursor'], 'page': 2} | query)}"
    )
    assert both.status_code == 400
