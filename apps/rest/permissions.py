"""Closed by default: an action that declares no need is refused. A grave one may ask for the password again (`step_up`)."""

from typing import Any, Final

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.access.permissions import Permission
from apps.common import clock
from apps.common.errors import Forbidden, Unauthenticated


class _Public:
    def __repr__(self) -> str:
        return "PUBLIC"


PUBLIC: Final = _Public()
Need = Permission | _Public


def need_of(view: Any, action: str | None) -> Need | None:
    """What the view declares for an action; PATCH needs what PUT needs."""
    needs = getattr(view, "needs", {})
    return needs.get("update" if action == "partial_update" else action)


class ReauthenticationRequired(Unauthenticated):
    """The action is in the view's `step_up`, and the password was last given too long ago, or never (an API key)."""

    message = "Give your password again (POST /auth/reauthenticate), then repeat the request within five minutes."


def refuse_without_fresh_proof(person: Any) -> None:
    """Raises ReauthenticationRequired unless the person gave the password in this session within five minutes."""
    proven_at = getattr(person, "reauthenticated_at", None)
    if proven_at is None or clock.now() - proven_at > settings.REAUTHENTICATION_LIFETIME:
        raise ReauthenticationRequired(issue="reauthentication_required")


class Needs(BasePermission):
    """Asks the view's `needs` for the action; strangers get 401, the wrong role 403."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in view.allowed_methods:  # DRF answers 405
            return True
        need = need_of(view, view.action)
        if need is PUBLIC:
            return True
        if request.user is None:
            raise Unauthenticated("Sign in first: send 'Authorization: Bearer <access token>'.")
        if not isinstance(need, Permission) or not request.user.may(need):  # type: ignore[union-attr]
            raise _refusal_of(request.user)
        return True


def _refusal_of(person: Any) -> Forbidden:
    if getattr(person, "enrollment_only", False):
        return Forbidden("Set up your second factor first: POST /auth/mfa/totp.", issue="mfa_enrollment_required")
    return Forbidden()
