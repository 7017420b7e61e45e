"""The list of visits by cursor: what is booked or cancelled between two pages shifts nothing."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, hire
from apps.appointments import selectors
from apps.appointments.tests.factories import at, book
from apps.appointments.tests.test_prepared import AS_AT_MILLIONS, fill
from apps.patients.tests.factories import register_patient, restrict
from apps.rest.paging import Position, Window

HOURS = ("09:00", "10:00", "11:00", "12:00", "13:00")


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


@pytest.fixture
def booked(staff: dict[str, User]) -> list[str]:
    """Five visits of one day, the latest first."""
    patient = register_patient("Ann", "Roe")
    return [str(book(patient, staff["doctor"], at(hour)).pk) for hour in HOURS][::-1]


def page_of(receptionist_api: Any, query: str) -> tuple[list[str], dict[str, Any]]:
    reply = receptionist_api.get(f"/appointments?{query}")
    assert reply.status_code == 200, reply.json()
    data = reply.json()["data"]
    return [row["id"] for row in data["appointments"]], data["pagination"]


def all_pages(receptionist_api: Any, query: str) -> list[list[str]]:
    collected, cursor = [], None
    while cursor is not None or not collected:
        rows, block = page_of(receptionist_api, query + (f"&cursor={cursor}" if cursor else ""))
        collected.append(rows)
        cursor = block["next_cursor"]
    return collected


def test_a_visit_booked_between_two_pages_repeats_no_row(
    receptionist_api: Any, staff: dict[str, User], booked: list[str]
) -> None:
    first, block = page_of(receptionist_api, "limit=2")
    assert (first, block["page"], block["total"], block["pages"]) == (booked[:2], 1, 5, 3)
    book(register_patient("Ben", "Roe"), staff["doctor"], at("16:00"))
    second, block = page_of(receptionist_api, f"limit=2&cursor={block['next_cursor']}")
    assert second == booked[2:4]
    assert set(block) == {"limit", "next_cursor"}
    third, block = page_of(receptionist_api, f"limit=2&cursor={block['next_cursor']}")
    assert (third, block["next_cursor"]) == (booked[4:], None)


@pytest.mark.parametrize("filters", ["", "&status=scheduled", "&doctor_id={doctor}", "&doctor_id={doctor}&status=scheduled"])
@pytest.mark.parametrize("sort", ["-scheduled_time", "scheduled_time"])
def test_the_pages_hold_each_visit_once_in_either_order(
    receptionist_api: Any, staff: dict[str, User], booked: list[str], sort: str, filters: str
) -> None:
    query = f"limit=2&sort={sort}" + filters.format(doctor=staff["doctor"].pk)
    expected = booked if sort.startswith("-") else booked[::-1]
    assert all_pages(receptionist_api, query) == [expected[:2], expected[2:4], expected[4:]]


def test_visits_at_one_instant_are_parted_by_their_ids(receptionist_api: Any, staff: dict[str, User]) -> None:
    doctors = [staff["doctor"], *(hire(f"colleague{number}", "doctor") for number in range(3))]
    rows = {str(book(register_patient(f"Ann{number}", "Roe"), doctor).pk) for number, doctor in enumerate(doctors)}
    pages = all_pages(receptionist_api, "limit=1")
    assert [len(page) for page in pages] == [1, 1, 1, 1]
    assert {row for page in pages for row in page} == rows


def test_a_visit_cancelled_between_two_pages_hides_no_row(receptionist_api: Any, booked: list[str]) -> None:
    _, block = page_of(receptionist_api, "limit=2&status=scheduled")
    receptionist_api.post(f"/appointments/{booked[0]}/cancel", {})
    assert page_of(receptionist_api, f"limit=2&status=scheduled&cursor={block['next_cursor']}")[0] == booked[2:4]


def test_a_page_by_cursor_shows_no_visit_of_a_closed_chart(staff: dict[str, User], booked: list[str]) -> None:
    closed = register_patient("Rose", "Martin")
    book(closed, hire("colleague", "doctor"), at("09:30"))
    restrict(closed)
    pages = all_pages(api_client(staff["receptionist"]), "limit=2")
    assert [row for page in pages for row in page] == booked


@pytest.mark.parametrize("query", ["cursor=", "cursor=abc", "cursor=%C3%A9", "cursor=" + "A" * 33, "cursor=f" + "_" * 31])
def test_a_cursor_that_was_never_given_out_is_refused_by_name(receptionist_api: Any, query: str) -> None:
    refusal = receptionist_api.get(f"/appointments?{query}")
    assert refusal.status_code == 400
    assert refusal.json()["error"]["details"]["field"] == "cursor"


def test_a_page_and_a_cursor_together_are_refused(receptionist_api: Any, booked: list[str]) -> None:
    _, block = page_of(receptionist_api, "limit=2")
    refusal = receptionist_api.get(f"/appointments?page=2&cursor={block['next_cursor']}")
    assert (refusal.status_code, refusal.json()["error"]["details"]["field"]) == (400, "cursor")


def test_the_link_header_leads_to_the_next_page_by_cursor(receptionist_api: Any, booked: list[str]) -> None:
    _, block = page_of(receptionist_api, "limit=2")
    link = receptionist_api.get(f"/appointments?limit=2&status=scheduled&cursor={block['next_cursor']}").headers["Link"]
    first, following = link.split(", ")
    assert first.endswith('rel="first"')
    assert "cursor=" not in first
    assert "cursor=" in following
    assert "status=scheduled" in following


@pytest.mark.parametrize(("filters", "index"), [({}, "appointment_newest"), ({"status": "requested"}, "appointment_by_status")])
def test_a_page_by_cursor_starts_at_its_place_in_the_index(staff: dict[str, User], filters: dict[str, str], index: str) -> None:
    row = book(register_patient("Ann", "Roe"), staff["doctor"], at("10:00"))
    fill(row, missed_before=True)
    with CaptureQueriesContext(connection) as log:
        window = Window(after=Position.at(row.scheduled_time, row.pk))
        page = selectors.list_page(visible_to=SYSTEM, window=window, **filters)
    assert (len(page.rows), len(log)) == (20, 1)
    with connection.cursor() as cursor:
        cursor.execute(AS_AT_MILLIONS)
        cursor.execute("EXPLAIN (ANALYZE, FORMAT TEXT) " + log[0]["sql"].replace("%", "%%"), [])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan, plan
    removed = [int(line.split(":")[1]) for line in plan.splitlines() if "Rows Removed by Filter" in line]
    assert sum(removed) <= 1, plan  # the last row of the page before
