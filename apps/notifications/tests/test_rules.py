import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.notifications import rules


@pytest.mark.parametrize("url", ["/", "/lab/results/123", "/maintenance-schedule", "/a?q=1&r=%20#top", "/x:y/@z"])
def test_a_path_of_this_house_is_accepted(url: str) -> None:
    assert rules.is_internal_path(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lab/results/123",
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "///evil.example",
        "/a//b",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/a\x00",
        "/a b",
        "/\u202eevil",
        "/\u2028",
        "/a\n",
        "/" + "a" * 500,
    ],
)
def test_what_leads_out_of_the_house_or_hides_where_it_leads_is_refused(url: str) -> None:
    assert not rules.is_internal_path(url)


@given(st.text(alphabet=st.sampled_from("/\\:.ab@?#% \t\n\r\x00\u2029\u00e9"), max_size=12))
def test_nothing_accepted_names_another_host(url: str) -> None:
    assert rules.is_internal_path(url) == (url != "" and re.fullmatch(rules.LINK_FORM, url) is not None)
    if rules.is_internal_path(url):
        assert url.startswith("/")
        assert not url.startswith(("//", "/\\"))
        assert url.isascii()
        assert url.isprintable()


@pytest.mark.parametrize(
    ("changes", "status", "doctor", "patient"),
    [
        (("status", "cancelled_at"), "cancelled", "cancelled", "cancelled"),
        (("scheduled_time", "status"), "cancelled", "cancelled", "cancelled"),
        (("status",), "scheduled", "booked", "booked"),
        (("scheduled_time",), "scheduled", "changed", "changed"),
        (("doctor_id",), "confirmed", "changed", "changed"),
        (("duration_minutes", "notes"), "confirmed", "changed", None),
        (("status", "queue_number"), "checked_in", None, None),
        (("notes", "room"), "scheduled", None, None),
        ((), "cancelled", None, None),
    ],
)
def test_what_is_news_and_to_which_doctor(changes: tuple[str, ...], status: str, doctor: str | None, patient: str | None) -> None:
    assert rules.news_for_doctor(changes, status) == doctor
    assert rules.news_for_patient(changes, status) == patient


@pytest.mark.parametrize(
    ("at", "days", "soon"),
    [
        ("2026-11-22T00:00-08:00", 1, True),
        ("2026-11-21T23:59-08:00", 1, False),
        ("2026-11-22T23:59-08:00", 1, True),
        ("2026-11-23T00:00-08:00", 1, False),
        ("2026-11-23T23:59-08:00", 2, True),
        ("2026-11-24T00:00-08:00", 2, False),
        ("2026-11-22T12:00-08:00", 0, False),
    ],
)
def test_soon_is_counted_in_days_of_the_clinic(at: str, days: int, soon: bool) -> None:
    now = datetime.fromisoformat("2026-11-22T20:00-08:00")  # the next day in Greenwich
    zone = ZoneInfo("America/Los_Angeles")
    assert rules.is_soon(datetime.fromisoformat(at), now=now, days=days, zone=zone) is soon
    assert rules.is_over(datetime.fromisoformat(at), now=now, zone=zone) is (at < "2026-11-22")
