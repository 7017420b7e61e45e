"""Authenticates a request: by an API key, or by the access token of a session. DRF asks the two classes in this order.

An API key takes one statement by its SHA-256, then the rules of `rules`. A token names a session; the database knows its user and
permissions.
"""

from datetime import timedelta

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts import selectors, services
from apps.accounts.api_keys import rules
from apps.accounts.api_keys.principal import ApiKeyPrincipal
from apps.accounts.authentication import tokens
from apps.accounts.authentication.principal import Principal
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common import clock, context
from apps.common.errors import Forbidden, Invalid, Unauthenticated
from apps.rest import limits
from apps.rest.limits import RateClass

_RECORD_USE_EVERY = timedelta(seconds=60)  # precision of the last use, which avoids a write per request

_AUDITED_REFUSALS = 10  # a minute, of one key


class InvalidApiKey(Unauthenticated):
    message = "This is not an API key of HIMS."


class AddressNotAllowed(Forbidden):
    message = "This API key may not be used from your address."


class ApiKeyAuthentication(BaseAuthentication):
    """Reads `X-API-Key: hims_…` or `Authorization: Bearer hims_…`. Without either, another authenticator decides."""

    def authenticate(self, request: Request) -> tuple[ApiKeyPrincipal, str] | None:
        text = _key_in_request(request)
        if text is None:
            return None
        principal = _principal_of(text)
        request.user = principal  # type: ignore[assignment]  # first, so that a refusal of the address is audited as the owner's
        context.current().api_key = principal.prefix
        if not rules.is_address_allowed(principal.allowed_cidrs, context.current().ip):
            refusal = AddressNotAllowed(f"This API key may not be used from your address ({context.current().ip}).")
            refusal.is_audited = _is_audited(principal)
            raise refusal
        if principal.last_used_at is None or clock.now() - principal.last_used_at > _RECORD_USE_EVERY:
            services.record_key_use(principal.key_id)
        return principal, text

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionTokenAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <access token>`. Without the header the caller is anonymous; an invalid, ended or idle session
    is refused."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise tokens.InvalidToken("Send the access token as 'Authorization: Bearer …'.")
        claims = tokens.read_access(raw.strip())
        principal = selectors.principal(claims.session_id, claims.user_id)
        if principal is None:
            raise tokens.InvalidToken
        if clock.now() - principal.last_seen_at > _RECORD_USE_EVERY:
            services.record_session_use(principal.session_id)
        return principal, raw

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _key_in_request(request: Request) -> str | None:
    """Returns the key of the request, if it has one. Raises Invalid if it carries two different credentials."""
    scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    key, bearer = str(request.META.get("HTTP_X_API_KEY", "")).strip(), bearer.strip()
    if not key:
        return bearer if scheme.lower() == "bearer" and bearer.startswith(rules.PREFIX) else None
    if scheme and bearer != key:
        raise Invalid(
            "Two different credentials in one request", field="X-API-Key", issue="Send this or Authorization, not both."
        )
    if scheme and not key.startswith(rules.PREFIX):  # one access token in both headers: SessionTokenAuthentication reads it
        return None
    return key


def _principal_of(text: str) -> ApiKeyPrincipal:
    kind, expected = rules.kind_of(text), rules.kind_for(settings.HIMS_ENV)
    if kind is None:
        raise InvalidApiKey
    if kind != expected:
        raise InvalidApiKey(
            f"This is a {kind} key (hims_{kind}_…); this installation takes {expected} keys (hims_{expected}_…) only."
        )
    lookup = selectors.api_key_lookup(text)
    if lookup is None:
        raise InvalidApiKey
    if reason := rules.refusal_reason(lookup.state, clock.now()):
        _record_refusal(lookup.principal, reason)
        raise InvalidApiKey(reason)
    return lookup.principal


def _record_refusal(principal: ApiKeyPrincipal, reason: str) -> None:
    if _is_audited(principal):
        audit.record(
            by=principal,
            action="api_key.refused",
            outcome=AuditEvent.Outcome.DENIED,
            object_id=principal.key_id,
            why=reason,
            api_key=principal.prefix,
        )


def _is_audited(principal: ApiKeyPrincipal) -> bool:
    """Returns whether this refusal of the key gets an audit row: a program that goes on with a dead key must not fill the log."""
    return limits.hit(RateClass.RETRIEVAL, f"key-refused:{principal.key_id}", per_minute=_AUDITED_REFUSALS).allowed
