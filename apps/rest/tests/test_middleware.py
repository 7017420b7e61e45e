import random
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory

from apps.common import disk
from apps.common.errors import PayloadTooLarge
from apps.rest import middleware

OURS = re.compile(r"req_[0-9A-HJKMNP-TV-Z]{26}")


def request_with(**headers: str) -> Any:
    return RequestFactory().get("/v1/version", **headers)


@pytest.mark.parametrize("given", ["abcdefgh", "A-Z_0-9-", "x" * 64, "req_01M82EKW35P5PHQZ7A8S7M2R4R"])
def test_a_request_id_that_fits_is_kept(given: str) -> None:
    assert middleware.request_id(request_with(HTTP_X_REQUEST_ID=given)) == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "x" * 65,
        "with blank",
        "line\nbreak-line",
        "abcdefgh\n",
        "semi;colon",
        "<script>1",
        "ümlautüü",
        "a,b,c,d,e",
        "\x1b[31mred1",
    ],
)
def test_a_request_id_that_could_forge_a_log_line_is_replaced(given: str) -> None:
    assert OURS.fullmatch(middleware.request_id(request_with(HTTP_X_REQUEST_ID=given)))


def test_no_two_requests_share_an_id() -> None:
    assert len({middleware.request_id(request_with()) for _ in range(2_000)}) == 2_000


@pytest.mark.parametrize(
    ("proxies", "forwarded", "ip"),
    [
        (0, "203.0.113.9", "10.0.0.1"),  # no proxy is trusted: every peer is the client
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the caller's own claim comes first
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "203.0.113.9:51234", "203.0.113.9"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "2001:DB8::7", "2001:db8::7"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "unknown", "10.0.0.1"),
        (1, "'; DROP TABLE audit_auditevent; --", "10.0.0.1"),
    ],
)
def test_an_address_is_believed_as_far_as_proxies_are_trusted(settings: Any, proxies: int, forwarded: str, ip: str) -> None:
    settings.HIMS_TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert middleware.client_ip(request_with(REMOTE_ADDR="10.0.0.1", **headers)) == ip


@pytest.mark.parametrize("peer", ["", "unix:", "@"])
def test_a_unix_socket_has_no_address(peer: str) -> None:
    assert middleware.client_ip(request_with(REMOTE_ADDR=peer)) is None


@pytest.mark.parametrize(
    ("path", "is_api"),
    [
        ("/v1", True),
        ("/v1/", True),
        ("/v2/x", True),
        ("/v1/../admin", True),
        ("/", False),
        ("/admin/", False),
        ("/v1x", False),
        ("/x/v1/y", False),
        ("/V1/x", False),
    ],
)
def test_what_belongs_to_the_api(path: str, is_api: bool) -> None:
    assert middleware.is_api(RequestFactory().get(path)) == is_api


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        (" 10.0.0.1 ", "10.0.0.1"),
        ("10.0.0.1:8080", "10.0.0.1"),
        ("::1", "::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unknown", None),
        ("10.0.0", None),
        ("10.0.0.1.5", None),
        ("_hidden", None),
    ],
)
def test_an_address_is_read_without_port_and_zone(text: str, address: str | None) -> None:
    assert middleware._address(text) == address


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("gzip;q=0.001", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("gzip;q=0, br", False),
        ("br", False),
        ("", False),
        ("xgzipx", False),
    ],
)
def test_a_client_that_refuses_gzip_is_not_sent_any(header: str, takes: bool) -> None:
    sent, reply = request_with(HTTP_ACCEPT_ENCODING=header), HttpResponse(b"a" * 5_000, content_type="application/json")
    middleware._compress(sent, reply)
    assert reply.has_header("Content-Encoding") is takes
    assert (len(reply.content) < 5_000) is takes
    if takes:
        assert reply.headers["Content-Length"] == str(len(reply.content))


@pytest.mark.parametrize(
    ("size", "kind", "headers", "compressed"),
    [
        (1_024, "application/json", {}, True),
        (1_023, "application/json", {}, False),
        (5_000, "application/pdf", {}, False),
        (5_000, "application/json", {"Content-Encoding": "br"}, False),
    ],
)
def test_only_large_json_is_compressed(size: int, kind: str, headers: dict[str, str], compressed: bool) -> None:
    reply = HttpResponse(b"a" * size, content_type=kind, headers=headers)
    middleware._compress(request_with(HTTP_ACCEPT_ENCODING="gzip"), reply)
    assert (reply.headers.get("Content-Encoding") == "gzip") is compressed


def test_what_gzip_would_make_longer_is_sent_as_it_is() -> None:
    noise = random.Random(7).randbytes(2_000)
    reply = HttpResponse(noise, content_type="application/json")
    middleware._compress(request_with(HTTP_ACCEPT_ENCODING="gzip"), reply)
    assert reply.content == noise
    assert not reply.has_header("Content-Encoding")


def test_two_replies_of_the_same_bytes_differ_in_length_when_they_are_compressed() -> None:
    lengths = set()
    for _ in range(40):
        reply = HttpResponse(b'{"a":1}' * 500, content_type="application/json")
        middleware._compress(request_with(HTTP_ACCEPT_ENCODING="gzip"), reply)
        lengths.add(len(reply.content))
    assert len(lengths) > 5


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/lamps"])
def test_a_reply_that_may_hold_a_secret_is_not_compressed(path: str) -> None:
    sent = RequestFactory().get(path, HTTP_ACCEPT_ENCODING="gzip")
    reply = HttpResponse(b"a" * 5_000, content_type="application/json")
    vars(reply)["holds_secret"] = path == "/v1/lamps"
    middleware._compress(sent, reply)
    assert not reply.has_header("Content-Encoding")


@pytest.mark.parametrize(
    ("length", "refused"),
    [
        ("", False),
        ("0", False),
        ("1048576", False),
        ("1048577", True),
        ("-1", True),
        ("1e3", True),
        ("٣", True),
        ("9" * 30, True),
    ],
)
def test_a_stated_length_over_a_mebibyte_is_refused_before_the_body_is_read(length: str, refused: bool) -> None:
    sent = request_with()
    sent.META["CONTENT_LENGTH"] = length
    if not refused:
        middleware._measure_body(sent)
        return
    with pytest.raises(PayloadTooLarge):
        middleware._measure_body(sent)


@pytest.mark.parametrize(("size", "refused"), [(10, False), (1_048_576, False), (1_048_577, True), (5_000_000, True)])
def test_a_chunked_body_is_measured_as_it_is_read(size: int, refused: bool) -> None:
    sent = request_with(HTTP_TRANSFER_ENCODING="chunked")
    sent.META["wsgi.input"] = BytesIO(b"x" * size)
    if refused:
        with pytest.raises(PayloadTooLarge):
            middleware._measure_body(sent)
        return
    middleware._measure_body(sent)
    assert (sent.META["CONTENT_LENGTH"], len(sent._stream.read())) == (str(size), size)


def through(method: str = "GET", *, secure: bool = False, reply: HttpResponse | None = None) -> Any:
    """Sends a request through the outermost middleware; the view replies with `reply`."""
    answer = reply or HttpResponse(b"{}", content_type="application/json")
    sent = RequestFactory().generic(method, "/v1/lamps/", HTTP_HOST="testserver", secure=secure)
    return middleware.RequestMiddleware(lambda _: answer)(sent)


def test_every_reply_of_the_api_has_its_headers() -> None:
    headers = through().headers
    assert set(headers) >= {*middleware._API_HEADERS, "X-Request-ID", "X-RateLimit-Limit", "RateLimit", "Content-Length"}
    assert headers["Cache-Control"] == "private, no-store"
    assert "Strict-Transport-Security" not in headers
    assert through(secure=True).headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_a_304_has_no_length() -> None:
    assert "Content-Length" not in through(reply=HttpResponse(status=304)).headers


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 200), ("HEAD", 200), ("OPTIONS", 200), ("POST", 503), ("PUT", 503), ("DELETE", 503)]
)
def test_while_the_disk_is_full_the_api_is_read_and_not_written(settings: Any, tmp_path: Path, method: str, status: int) -> None:
    settings.HIMS_DATA_DIR = tmp_path
    (tmp_path / disk.FULL).touch()
    reply = through(method)
    assert reply.status_code == status
    assert reply.headers.get("Retry-After") == ("10" if status == 503 else None)


def test_a_healthy_connection_is_not_checked_again_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    database = connections["default"]
    for seconds, skips in ((0.0, False), (0.9, True), (1.8, True), (2.9, False), (4.1, False)):
        monkeypatch.setattr(middleware.time, "monotonic", lambda seconds=seconds: 1e6 + seconds)
        database.health_check_done = False
        middleware.skip_recent_health_check()
        assert database.health_check_done is skips, seconds
    database.health_check_done = False
