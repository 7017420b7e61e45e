"""Closed by default: an action without a declared permission is refused. A sensitive one can require the password again
(`recent_login`)."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.access.permissions import Permission
from apps.common import clock
from apps.common.errors import Forbidden, Unauthenticated
from apps.rest.endpoint import PUBLIC


class ReauthenticationRequired(Unauthenticated):
    """The action is declared with `recent_login`, and the user entered the password too long ago, or never (an API key)."""

    message = "Confirm your password (POST /auth/reauthenticate), then repeat the request within five minutes."


class PersonRequired(Forbidden):
    message = "API keys cannot do this: it requires a person who has signed in."


class MissingScope(Forbidden):
    """`details.required_scope` is the scope that the API key lacks."""


class MfaEnrollmentRequired(Forbidden):
    message = "Set up your second factor first: POST /auth/mfa/totp."


def require_recent_login(by: Any) -> None:
    """Raises ReauthenticationRequired unless the user entered the password in this session within the last five minutes.

    The system itself (commands and tasks, which have no id) has no password.
    """
    if by.id is None:
        return
    reauthenticated_at = getattr(by, "reauthenticated_at", None)
    if reauthenticated_at is None or clock.now() - reauthenticated_at > settings.REAUTHENTICATION_LIFETIME:
        raise ReauthenticationRequired(issue="reauthentication_required")


class Needs(BasePermission):
    """Checks the `permission` that the action declares: 401 without authentication, 403 for a wrong role or a key without the
    scope."""

    def has_permission(self, request: Request, view: Any) -> bool:
        need = view.endpoint.permission
        if need is PUBLIC:
            return True
        if request.user is None:
            raise Unauthenticated("Sign in first: send 'Authorization: Bearer <access token>', or an API key as 'X-API-Key'.")
        if not isinstance(need, Permission):
            raise Forbidden
        require(request.user, need)
        return True


def require(by: Any, need: Permission) -> None:
    """Raises Forbidden unless the role has the permission and, for an API key, the key has its scope."""
    scope = need.scope
    if by.key_id and scope is None:
        raise PersonRequired
    if not by.has_permission(need):
        raise _refusal_of(by)
    if by.key_id and scope not in by.scopes:
        raise MissingScope(f"This API key does not have the scope {scope}.", required_scope=scope)


def _refusal_of(person: Any) -> Forbidden:
    if getattr(person, "enrollment_only", False):
        return MfaEnrollmentRequired(issue="mfa_enrollment_required")
    return Forbidden()
