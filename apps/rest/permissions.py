"""Closed by default: an action that declares no need is refused."""

from typing import Any, Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

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
            raise Forbidden
        return True
