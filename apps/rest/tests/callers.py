"""Callers of the kit's tests (a user of a role, an API key with scopes), their requests, and an audit log that keeps its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from rest_framework.test import APIRequestFactory, force_authenticate

from apps.access import matrix
from apps.access.permissions import Permission
from apps.access.roles import CLINICAL, Role
from apps.access.scopes import Scope


class LampPermission(Permission):
    """Rights of a resource that exists in these tests alone."""

    LAMP_VIEW = "kit.lamp_view", CLINICAL, Scope.LAB_READ
    LAMP_SWITCH = "kit.lamp_switch", CLINICAL, Scope.LAB_WRITE
    LAMP_SELL = "kit.lamp_sell", {Role.DOCTOR}, None
    OWNER_VIEW = "kit.owner_view", {Role.DOCTOR}, Scope.PATIENTS_READ


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A user; with `key_id` an API key of that user."""

    id: UUID | None
    role: str = "doctor"
    key_id: str = ""
    scopes: frozenset[str] = frozenset()
    reauthenticated_at: datetime | None = None
    enrollment_only: bool = False
    session_id: str = "session"

    def has_permission(self, permission: Permission) -> bool:
        return permission in matrix.permissions_of(self.role, admin_clinical=False)


class KeptAuditLog:
    """Keeps the rows that the kit writes to the audit log."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, Any]] = []

    def record(self, **row: Any) -> Any:
        self.rows.append(row)
        return uuid4()


def user(role: str = "doctor", **more: Any) -> Caller:
    return Caller(id=uuid4(), role=role, **more)


def api_key(*scopes: str, role: str = "doctor", **more: Any) -> Caller:
    return Caller(id=uuid4(), role=role, key_id="key_1", scopes=frozenset(scopes), **more)


def request(method: str, path: str, by: Caller | None, body: Any = None, **headers: str) -> Any:
    """Returns a request of Django as `by` sends it; `path` may have a query."""
    sent = APIRequestFactory().generic(method, path, b"" if body is None else body, content_type="application/json", **headers)
    force_authenticate(sent, user=by)
    return sent
