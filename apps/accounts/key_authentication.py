"""From an API key to its owner: one statement by the key's SHA-256, then the rules of `keys`."""

from datetime import timedelta

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts import keys, selectors, services
from apps.accounts.key_holder import KeyHolder
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common import clock, context
from apps.common.errors import Forbidden, Invalid, Unauthenticated

_USED_EVERY = timedelta(seconds=60)  # how exactly the last use is kept, against a write a request


class BadKey(Unauthenticated):
    message = "This is no API key of ours."


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key: hims_…` or `Authorization: Bearer hims_…`. Neither: a session's token, or a stranger."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, str] | None:
        text = _sent(request)
        if text is None:
            return None
        holder = _holder(text)
        request.user = holder  # type: ignore[assignment]  # first, so that a refusal for the address is on record as the owner's
        context.current().api_key = holder.prefix
        if not keys.is_allowed_from(holder.allowed_cidrs, context.current().ip):
            raise Forbidden(f"This API key may not be used from your address ({context.current().ip}).")
        if holder.last_used_at is None or clock.now() - holder.last_used_at > _USED_EVERY:
            services.key_used(holder.key_id)
        return holder, text

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _sent(request: Request) -> str | None:
    """The key of the request, if it has one. Raises Invalid where it carries two different credentials."""
    scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    key, bearer = request.META.get("HTTP_X_API_KEY", "").strip(), bearer.strip()
    if not key:
        return bearer if scheme.lower() == "bearer" and keys.looks_like_one(bearer) else None
    if scheme and bearer != key:
        raise Invalid(
            "Two different credentials in one request", field="X-API-Key", issue="Send this or Authorization, not both."
        )
    return key


def _holder(text: str) -> KeyHolder:
    kind, ours = keys.kind_of(text), keys.kind_for(settings.HIMS_ENV)
    if kind is None:
        raise BadKey
    if kind != ours:
        raise BadKey(f"This is a {kind} key (hims_{kind}_…); this installation takes {ours} keys (hims_{ours}_…) only.")
    found = selectors.key_holder(text)
    if found is None:
        raise BadKey
    if why := keys.why_refused(found.state, clock.now()):
        holder = found.holder
        outcome = AuditEvent.Outcome.DENIED
        audit.note(by=holder, action="api_key.refused", outcome=outcome, object_id=holder.key_id, why=why, api_key=holder.prefix)
        raise BadKey(why)
    return found.holder
