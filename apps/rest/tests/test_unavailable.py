"""The pages for when nothing else works."""

from typing import Any

import pytest

from apps.common.errors import PayloadTooLarge, RequestTimeout, Unavailable
from apps.rest import unavailable


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (Unavailable, 503, "2"),
        (Unavailable(retry_after=10), 503, "10"),
        (RequestTimeout, 408, None),
        (PayloadTooLarge, 413, None),
    ],
)
def test_a_page_needs_no_database_and_is_never_stored(error: Any, status: int, retry_after: str | None) -> None:
    page = unavailable.page(error)
    assert page.status_code == status
    assert page.headers.get("Retry-After") == retry_after
    assert page.headers["Cache-Control"] == "no-store"
    assert page.content.lstrip().lower().startswith(b"<!doctype html")
    assert b"{%" not in page.content  # a file, no template


def test_the_usual_page_is_that_of_an_outage() -> None:
    assert unavailable.page().status_code == 503
