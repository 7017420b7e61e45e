"""Middleware of every request: its id, address, size and headers; and page middleware that does nothing on /v1."""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from ipaddress import ip_address
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.text import compress_string
from ulid import ULID
from whitenoise.middleware import WhiteNoiseMiddleware

from apps.common import context, disk, errors
from apps.common.outage import is_outage
from apps.rest import deprecations, limits, unavailable
from apps.rest import errors as envelope
from apps.rest.limits import RateClass
from apps.rest.parsers import MAX_BYTES

_API = re.compile(r"/v\d+(?:/|$)")
_REFUSAL = "hims.refusal"  # set by the web server: an error of the catalogue, for a body that was too large or too slow
_SAFE = ("GET", "HEAD", "OPTIONS")
_FRESH = 1.0  # seconds
_LEAST_COMPRESSED = 1_024  # bytes
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0+)?(?:,|\s|$))")
_KEPT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_API_HEADERS = {
    "X-API-Version": settings.API_VERSION,
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization, X-API-Key, Accept-Encoding",
}


def is_api(request: HttpRequest) -> bool:
    """Returns whether the request is for the API rather than for a page."""
    return _API.match(request.path_info) is not None


class RequestMiddleware:
    """The outermost middleware: request id and context; for the API also size, slash, headers and a rate limit on every reply."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        here = context.RequestContext(request_id=request_id(request), ip=client_ip(request))
        context.enter(here)
        skip_recent_health_check()
        try:
            response = self._api(request) if is_api(request) else self._page(request)
        finally:
            context.enter(None)
        response.headers["X-Request-ID"] = here.request_id
        response.headers["Server"] = ""  # hides the server's name; if unset, the web server adds it
        return response

    def _page(self, request: HttpRequest) -> HttpResponse:
        if refusal := request.META.get(_REFUSAL):
            return unavailable.page(refusal)
        return unavailable.page() if _is_stopped_write(request) else self.get_response(request)

    def _api(self, request: HttpRequest) -> HttpResponse:
        request.path_info = request.path_info.rstrip("/")  # accepts both slash forms, without a redirect
        response = _refused(request) or self.get_response(request)
        response = _limited(request, response)
        deprecations.write_headers(request, response)
        _compress(request, response)
        if not response.streaming and response.status_code != HTTPStatus.NOT_MODIFIED:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        for name, value in _API_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure():
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response


def _refused(request: HttpRequest) -> HttpResponse | None:
    """Returns the refusal of a request that no view should handle: for another host, too large, or a write while the disk is
    full."""
    try:
        request.get_host()
        _measure_body(request)
    except DisallowedHost:
        return envelope.respond(
            errors.Invalid("HIMS does not serve this host name.", field="Host", issue="Not one of HIMS_ALLOWED_HOSTS.")
        )
    except (errors.PayloadTooLarge, errors.RequestTimeout, errors.Unavailable) as error:
        return envelope.respond(error)
    if _is_stopped_write(request):
        return envelope.respond(errors.Unavailable("The disk is full. Nothing was saved; reads continue.", retry_after=10))
    return None


def _is_stopped_write(request: HttpRequest) -> bool:
    return request.method not in _SAFE and disk.is_full()


def _measure_body(request: HttpRequest) -> None:
    """Refuses a body whose stated size is too large before reading it. Reads a chunked body, which Django would treat as
    empty."""
    if refusal := request.META.get(_REFUSAL):
        raise refusal
    if "HTTP_TRANSFER_ENCODING" in request.META and "wsgi.input" in request.META:
        raw = request.META["wsgi.input"].read(MAX_BYTES + 1)
        request.META["CONTENT_LENGTH"] = str(len(raw))
        request._stream = BytesIO(raw)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > MAX_BYTES:
        raise errors.PayloadTooLarge


def skip_recent_health_check() -> None:
    """Skips the database's health check (a round trip a request) if the last request ended within a second.

    A PostgreSQL that restarts in that second costs the worker one 503; Django then drops the connection.
    """
    database, now = connections["default"], time.monotonic()
    if now - getattr(database, "used_at", 0.0) < _FRESH:
        vars(database)["health_check_done"] = True
    vars(database)["used_at"] = now


def _limited(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Writes the headers of the limit that the view counted. An unknown caller is counted by address."""
    verdict = getattr(request, "verdict", None)
    if verdict is None:
        kind = RateClass.RETRIEVAL if request.method in ("GET", "HEAD") else RateClass.MODIFICATION
        verdict = limits.hit(kind, f"ip:{context.current().ip}")
        if not verdict.allowed:
            response = envelope.respond(errors.RateLimited(retry_after=verdict.retry_after))
    limits.write_headers(response, verdict)
    return response


def _compress(request: HttpRequest, response: HttpResponse) -> None:
    """Compresses JSON of more than 1 KB with gzip if the client accepts it, as Django's GZipMiddleware does, including random
    bytes.

    The ETag stays strong: it names the data, which If-Match compares, not the bytes of the transfer. A reply with a secret is not
    compressed: its compressed length could reveal something about the secret to an attacker who can put text into it.
    """
    if response.streaming or response.has_header("Content-Encoding") or len(response.content) < _LEAST_COMPRESSED:
        return
    if response.headers.get("Content-Type") != "application/json" or _holds_secret(request, response):
        return
    if not _TAKES_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        return
    compressed = compress_string(response.content, max_random_bytes=GZipMiddleware.max_random_bytes)
    if len(compressed) < len(response.content):
        response.content = compressed
        response.headers["Content-Length"] = str(len(compressed))
        response.headers["Content-Encoding"] = "gzip"


def _holds_secret(request: HttpRequest, response: HttpResponse) -> bool:
    """Returns whether the reply may contain tokens (sign-in), or a secret that is shown once."""
    return request.path_info.startswith("/v1/auth/") or getattr(response, "holds_secret", False)


def request_id(request: HttpRequest) -> str:
    """Returns the caller's own id if it is valid, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _KEPT_ID.fullmatch(given) else f"req_{ULID()}"


def client_ip(request: HttpRequest) -> str | None:
    """Returns the peer's address, or the one that the outermost of HIMS_TRUSTED_PROXIES proxies reports. Other claims are
    ignored."""
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    if not settings.HIMS_TRUSTED_PROXIES:
        return peer
    claims = [claim.strip() for claim in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if claim.strip()]
    claimed = _address(claims[-settings.HIMS_TRUSTED_PROXIES]) if len(claims) >= settings.HIMS_TRUSTED_PROXIES else None
    return claimed or peer


def _address(text: str) -> str | None:
    """Returns the IP address that a server or proxy wrote, without port and zone; None if there is none (a Unix socket)."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


class PagesOnly:
    """Mixin: the middleware is for pages; API requests pass through unchanged."""

    get_response: Any  # each middleware has another type for it

    def __call__(self, request: HttpRequest) -> HttpResponse:
        below = self.get_response if is_api(request) else super().__call__  # type: ignore[misc]  # of the mixed-in middleware
        response: HttpResponse = below(request)
        return response


class Security(PagesOnly, SecurityMiddleware):
    pass


class StaticFiles(PagesOnly, WhiteNoiseMiddleware):
    pass


class ContentSecurityPolicy(PagesOnly, CSPMiddleware):
    pass


class Sessions(PagesOnly, SessionMiddleware):
    """A request that a page sends by itself (its view sets `request.is_unattended`) does not extend the session."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if getattr(request, "is_unattended", False):
            return response
        try:
            return super().process_response(request, response)
        except SessionInterrupted as interrupted:  # Django treats every failure to save as a session that was deleted meanwhile
            update_error = interrupted.__context__
            failure = update_error.__context__ if update_error else None
            if failure is not None and is_outage(failure):
                raise failure from None
            raise


class Csrf(PagesOnly, CsrfViewMiddleware):
    pass


class Authentication(PagesOnly, AuthenticationMiddleware):
    pass


class Messages(PagesOnly, MessageMiddleware):
    pass


class Frames(PagesOnly, XFrameOptionsMiddleware):
    pass
