"""Authenticates the Authorization header: the token names a session; the database knows its user and permissions."""

from datetime import timedelta

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts import selectors, services
from apps.accounts.authentication import tokens
from apps.accounts.authentication.principal import Principal
from apps.common import clock

_RECORD_USE_EVERY = timedelta(seconds=60)  # precision of the idle hour, which avoids a write per request


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
