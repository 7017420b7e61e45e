"""The port to the audit log. The kit writes audit rows and shows the history of a row; the app `audit`, above, owns the log.

`audit` registers its log when it loads. There is no other: without one, `record` fails, so nothing can be shown or written.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.http import HttpRequest
from django.utils.encoding import escape_uri_path

from apps.access.permissions import Permission
from apps.common.actor import AuditActor

SUCCESS, DENIED = "success", "denied"  # outcomes of an audit row
_LONGEST_PATH = 500


class AuditLog(Protocol):
    """What the kit needs of the audit log."""

    @property
    def view_permission(self) -> Permission:
        """The right to read the log."""
        ...

    def record(
        self,
        *,
        by: AuditActor | None,
        action: str,
        outcome: str = SUCCESS,
        patient_id: UUID | None = None,
        object_id: UUID | None = None,
        **detail: Any,
    ) -> UUID:
        """Add a row and return its id. `by` is None for a caller who is not signed in."""
        ...

    def history(self, row_id: UUID, *, since: datetime, limit: int) -> Iterable[Any]:
        """Return the audit rows about a row or patient, the latest first, each with the `user_name` of the person."""
        ...

    def last_author(self, row_id: UUID, *, since: datetime) -> UUID | None:
        """Return the id of the user who last changed a row since the instant; None if the system changed it or it did not
        change."""
        ...


_log: AuditLog | None = None


def register(log: AuditLog) -> None:
    """Make this the audit log of the kit."""
    global _log
    _log = log


def get() -> AuditLog:
    """Return the registered audit log. Raises RuntimeError if the app `audit` is not installed."""
    if _log is None:
        raise RuntimeError("No audit log is registered: install apps.audit.")
    return _log


def record(
    *,
    by: AuditActor | None,
    action: str,
    outcome: str = SUCCESS,
    patient_id: UUID | None = None,
    object_id: UUID | None = None,
    **detail: Any,
) -> UUID:
    """Add an audit row and return its id; see AuditLog.record."""
    return get().record(by=by, action=action, outcome=outcome, patient_id=patient_id, object_id=object_id, **detail)


def path_of(request: HttpRequest) -> str:
    """Return the path of a request as an audit row stores it: escaped, because jsonb holds no NUL, and cut."""
    return escape_uri_path(request.path)[:_LONGEST_PATH]
