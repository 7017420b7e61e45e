import re
from typing import Any

import pytest
from django.test import RequestFactory

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
