"""Who sends a request, prepared: every request pays for one of these statements."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.access.roles import Role
from apps.common import prepared

_PRINCIPAL = """
SELECT u.id, u.username, u.role, s.id, s.last_seen_at, s.reauthenticated_at, s.enrollment_only
FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
WHERE s.id = %s AND u.id = %s AND s.ended_at IS NULL AND s.expires_at > %s AND s.last_seen_at > %s
    AND u.is_active AND u.role <> %s
"""


def principal(session_id: UUID, user_id: UUID, *, now: datetime, seen_after: datetime) -> tuple[Any, ...] | None:
    """Returns the columns of `Principal` for a live session of active staff, last seen after an instant."""
    return _row(_PRINCIPAL, [session_id, user_id, now, seen_after, Role.PATIENT.value])


_API_KEY_LOOKUP = """
SELECT u.id, u.username, u.role, k.id, k.prefix, k.scopes, k.allowed_cidrs, k.last_used_at,
       s.ends_at, k.revoked_at, k.expires_at, u.is_active AND u.role <> %s
FROM accounts_apikeysecret s JOIN accounts_apikey k ON k.id = s.api_key_id JOIN accounts_user u ON u.id = k.user_id
WHERE s.secret_hash = %s
"""


def api_key(secret_hash: bytes) -> tuple[Any, ...] | None:
    """Returns the owner, the key and what decides whether it is valid, by the primary key of the secrets."""
    return _row(_API_KEY_LOOKUP, [Role.PATIENT.value, secret_hash])


def _row(sql: str, values: list[Any]) -> tuple[Any, ...] | None:
    with prepared.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
