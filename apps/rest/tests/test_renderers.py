"""How values become JSON, and which renderer a client gets."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from apps.access.roles import Role
from apps.rest import renderers
from apps.rest.renderers import EnvelopeRenderer, Negotiation
from apps.rest.tests.callers import request


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("12.50"), "12.50"),
        (Decimal("0.00"), "0.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("99999999999999999999.99"), "99999999999999999999.99"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '"2026-01-02T03:04:05Z"'),
        (datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC), '"2026-01-02T03:04:05Z"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Role.DOCTOR, '"doctor"'),
        (gettext_lazy("Failed"), '"Failed"'),
        ({1: "a"}, '{"1":"a"}'),
        ((1, 2), "[1,2]"),
        ("é\u2028<", '"é\u2028<"'),
        (None, "null"),
    ],
)
def test_a_value_is_written_as_the_reference_says(value: Any, text: str) -> None:
    assert renderers.dumps(value) == text.encode()


@pytest.mark.parametrize("value", [{1, 2}, object(), b"raw", "\ud800"])
def test_a_value_that_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        renderers.dumps(value)


def test_a_reply_without_data_has_no_body() -> None:
    assert EnvelopeRenderer().render(None) == b""
    assert EnvelopeRenderer().render({"a": 1}) == b'{"a":1}'


def negotiated(accept: str | None, *, file: str = "") -> str:
    sent = request("GET", "/v1/lamps", None, **({} if accept is None else {"HTTP_ACCEPT": accept}))
    offered = renderers.accepting(file) if file else [EnvelopeRenderer()]
    return str(Negotiation().select_renderer(Request(sent), offered)[0].media_type)


@pytest.mark.parametrize(
    "accept", [None, "", "*/*", "application/json", "application/*", "text/html, application/json;q=0.1", "text/html, */*"]
)
def test_a_client_that_takes_json_gets_it(accept: str | None) -> None:
    assert negotiated(accept) == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "application/pdf"])
def test_a_client_that_takes_none_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        negotiated(accept)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [("application/pdf", "application/pdf"), ("*/*", "application/pdf"), ("application/json", "application/json")],
)
def test_a_file_is_offered_next_to_json(accept: str, chosen: str) -> None:
    assert negotiated(accept, file="application/pdf") == chosen
