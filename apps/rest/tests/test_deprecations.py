"""What is going to end says so, in time."""

from datetime import date

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch

from apps.rest import deprecations
from apps.rest.deprecations import Deprecation, TooSoon


def row(announced: date = date(2026, 1, 31), sunset: date = date(2027, 1, 31), path: str = "/colours/{pk}") -> Deprecation:
    return Deprecation(method="GET", path=path, announced=announced, sunset=sunset, note="This ends", successor="/shades/{pk}")


@pytest.mark.parametrize(
    ("announced", "sunset"),
    [
        (date(2025, 12, 1), date(2026, 6, 1)),  # the reference's own sample
        (date(2026, 1, 31), date(2027, 1, 30)),
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2026, 1, 31), date(2026, 1, 1)),
    ],
)
def test_a_sunset_within_twelve_months_stops_the_start(announced: date, sunset: date) -> None:
    with pytest.raises(TooSoon, match="it works until"):
        row(announced, sunset)


@pytest.mark.parametrize(("announced", "sunset"), [(date(2026, 1, 31), date(2027, 1, 31)), (date(2024, 2, 29), date(2025, 3, 1))])
def test_twelve_months_are_enough(announced: date, sunset: date) -> None:
    assert row(announced, sunset).sunset == sunset


def test_a_reply_says_since_when_until_when_and_what_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecations, "_table", {})
    deprecations.declare(row())
    request = RequestFactory().head("/v1/colours/7")
    request.resolver_match = ResolverMatch(print, (), {}, route="v1/colours/<str:pk>")
    reply = HttpResponse(headers={"Link": '</v1/colours?page=2>; rel="next"'})
    deprecations.write_headers(request, reply)
    assert reply.headers["X-API-Deprecated"] == "This ends"
    assert reply.headers["X-API-Sunset"] == "2027-01-31"
    assert reply.headers["Deprecation"] == "@1769817600"
    assert reply.headers["Sunset"] == "Sun, 31 Jan 2027 00:00:00 GMT"
    first, page, successor = reply.headers["Link"].split(", ")
    assert first == '</v1/colours?page=2>; rel="next"'
    assert page == '</developers/deprecations#get-colours-pk>; rel="deprecation"; type="text/html"'
    assert successor == '</v1/shades/{pk}>; rel="successor-version"'
    assert deprecations.of("GET", "/colours/{pk}") == row()


def test_what_stays_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecations, "_table", {})
    deprecations.declare(row())
    request = RequestFactory().post("/v1/colours/7")
    request.resolver_match = ResolverMatch(print, (), {}, route="v1/colours/<str:pk>")
    reply = HttpResponse()
    deprecations.write_headers(request, reply)
    assert not {"Deprecation", "Sunset", "Link", "X-API-Deprecated", "X-API-Sunset"} & set(reply.headers)
