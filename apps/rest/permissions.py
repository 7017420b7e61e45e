"""Closed by default: an action that declares no need is refused."""

from typing import Any, Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.access import scopes
from apps.access.permissions import Permission
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


class Needs(BasePermission):
    """Asks the view's `needs` for the action; strangers get 401, the wrong role and a key without the scope 403."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in view.allowed_methods:  # DRF answers 405
            return True
        need = need_of(view, view.action)
        if need is PUBLIC:
            return True
        if request.user is None:
            raise Unauthenticated("Sign in first: send 'Authorization: Bearer <access token>', or an API key as 'X-API-Key'.")
        if not isinstance(need, Permission):
            raise Forbidden
        require(request.user, need)
        return True


def require(by: Any, need: Permission) -> None:
    """Raises Forbidden unless the role holds the right and, where an API key acts, the key carries its scope."""
    scope = scopes.of(need)
    if by.key_id and scope is None:
        raise Forbidden("API keys may not do this: it takes a person who has signed in.")
    if not by.may(need):
        raise Forbidden
    if by.key_id and scope not in by.scopes:
        raise Forbidden(f"This API key does not have the scope {scope}.", required_scope=scope)
