import logging

import pytest

from apps.common import context
from apps.common.context import RequestContext
from apps.common.logs import LineFormatter, without_rows

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.Zm9vYmFy"


def line(message: str, *args: object, exc_info: object = None) -> str:
    return LineFormatter().format(logging.LogRecord("apps.ward", logging.INFO, __file__, 1, message, args, exc_info))  # type: ignore[arg-type]


def traced(message: str) -> tuple[object, ...]:
    """An exception that was raised, as logging takes it."""
    with pytest.raises(ValueError, match=r".") as raised:
        raise ValueError(message)
    return (raised.type, raised.value, raised.tb)


@pytest.mark.parametrize(
    "message",
    [
        "password=s3cret-word",
        "password: s3cret-word",
        "{'password': 's3cret-word'}",
        '{"password":"s3cret-word","username":"a"}',
        "NewStaff(username='a', password='s3cret-word with \\' blanks s3cret-word')",
        "?token=s3cret-word&page=1",
        "refresh_token=s3cret-word;",
        '{"access_token": "s3cret-word"}',
        "Authorization: Bearer s3cret-word",
        "{'Authorization': 'bearer s3cret-word'}",
        "X-API-Key: hims_live_s3cret-word",
        "key hims_test_s3cret-word was used",
        "api_key='s3cret-word'",
        "client_secret=s3cret-word",
        "Cookie: sessionid=s3cret-word",
        "mfa_code=s3cret-word",
    ],
)
def test_a_secret_is_masked(message: str) -> None:
    masked = line(message)
    assert "s3cret" not in masked
    assert "***" in masked


def test_a_bare_token_is_masked() -> None:
    assert JWT.split(".")[1] not in line(f"refused {JWT} of nobody")


def test_a_secret_in_a_trace_is_masked() -> None:
    text = line("unforeseen", exc_info=traced("password='s3cret-word'"))
    assert "s3cret" not in text
    assert "ValueError" in text


def test_what_is_no_secret_stays_readable() -> None:
    text = line("patient %s was admitted by dr.smith; 3 tokens ended", "MRN001")
    assert text.endswith("INFO - apps.ward: patient MRN001 was admitted by dr.smith; 3 tokens ended")


@pytest.mark.parametrize("breaking", ["\n", "\r", "\r\n", "\x85", "\u2028", "\x1b[2J", "\x00"])
def test_a_record_is_one_line(breaking: str) -> None:
    text = line("search for %s", f"x{breaking}2026-11-22 INFO - audit: forged")
    assert len(text.splitlines()) == 1
    assert text.isprintable()


def test_a_trace_is_one_line() -> None:
    assert len(line("unforeseen", exc_info=traced("no")).splitlines()) == 1


def test_a_line_names_its_request() -> None:
    context.enter(RequestContext(request_id="req_12345678"))
    try:
        assert "INFO req_12345678 apps.ward: seen" in line("seen")
    finally:
        context.enter(None)


def test_an_error_that_is_its_own_cause_is_logged_once() -> None:
    one, other = ValueError("one"), KeyError("other")
    one.__cause__, other.__cause__ = other, one
    assert without_rows("it failed", one) == "it failed"
