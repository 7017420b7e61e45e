"""What happens round every request: its id, its address, its size, its headers; and page middleware that steps aside on /v1."""

import re
from collections.abc import Callable

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from ulid import ULID
from whitenoise.middleware import WhiteNoiseMiddleware

from apps.common import context, errors
from apps.rest import errors as envelope
from apps.rest import limits
from apps.rest.limits import RateClass
from apps.rest.parsers import MAX_BYTES

_API = re.compile(r"/v\d+(?:/|$)")
_KEPT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_API_HEADERS = {
    "X-API-Version": settings.API_VERSION,
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization",
}


def is_api(request: HttpRequest) -> bool:
    """Whether the request is for the API rather than for a page."""
    return _API.match(request.path_info) is not None


class RequestMiddleware:
    """The outermost layer: request id and context; for the API also size, slash, headers and a rate limit on every reply."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        here = context.RequestContext(request_id=request_id(request), ip=client_ip(request))
        context.enter(here)
        try:
            response = self._api(request) if is_api(request) else self.get_response(request)
        finally:
            context.enter(None)
        response.headers["X-Request-ID"] = here.request_id
        return response

    def _api(self, request: HttpRequest) -> HttpResponse:
        request.path_info = request.path_info.rstrip("/")  # both slash forms, never a redirect
        response = self._too_large(request) or self.get_response(request)
        response = _limited(request, response)
        for name, value in _API_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure():
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response

    def _too_large(self, request: HttpRequest) -> HttpResponse | None:
        """Refused on its own word, before a byte of it is read."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        too_large = not length.isdigit() or int(length) > MAX_BYTES
        return envelope.respond(errors.PayloadTooLarge()) if too_large else None


def _limited(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Headers of the limit that the view counted. Whoever got to no limit of their own (no route, no sign-in) is counted by address."""
    verdict = getattr(request, "verdict", None)
    if verdict is None:
        kind = RateClass.RETRIEVAL if request.method in ("GET", "HEAD") else RateClass.MODIFICATION
        verdict = limits.hit(kind, f"ip:{context.current().ip}")
        if not verdict.allowed:
            response = envelope.respond(errors.RateLimited(retry_after=verdict.retry_after))
    limits.write_headers(response, verdict)
    return response


def request_id(request: HttpRequest) -> str:
    """The caller's own id where it fits, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _KEPT_ID.fullmatch(given) else f"req_{ULID()}"


def client_ip(request: HttpRequest) -> str | None:
    """The peer's address, or what the outermost of HIMS_TRUSTED_PROXIES proxies says it is. Further claims are not believed."""
    peer = request.META.get("REMOTE_ADDR") or None
    if not settings.HIMS_TRUSTED_PROXIES:
        return peer
    claims = [claim.strip() for claim in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if claim.strip()]
    return claims[-settings.HIMS_TRUSTED_PROXIES] if len(claims) >= settings.HIMS_TRUSTED_PROXIES else peer


class PagesOnly:
    """Mixin: the middleware below it is for pages; the API passes through untouched."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api(request):
            return self.get_response(request)  # type: ignore[attr-defined]
        return super().__call__(request)  # type: ignore[misc]


class Security(PagesOnly, SecurityMiddleware):
    pass


class StaticFiles(PagesOnly, WhiteNoiseMiddleware):
    pass


class ContentSecurityPolicy(PagesOnly, CSPMiddleware):
    pass


class Sessions(PagesOnly, SessionMiddleware):
    pass


class Csrf(PagesOnly, CsrfViewMiddleware):
    pass


class Authentication(PagesOnly, AuthenticationMiddleware):
    pass


class Messages(PagesOnly, MessageMiddleware):
    pass


class Frames(PagesOnly, XFrameOptionsMiddleware):
    pass
