"""The audit log registers itself at the port of the HTTP kit (`apps.rest.audit_log`)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.audit import selectors, services
from apps.audit.rights import Permission
from apps.rest import audit_log


class RegisteredLog:
    """The log as the kit uses it."""

    view_permission = Permission.AUDIT_VIEW
    record = staticmethod(services.record)

    def history(self, row_id: UUID, *, since: datetime, limit: int) -> Iterable[Any]:
        return selectors.history(row_id, since=since)[:limit]

    def last_author(self, row_id: UUID, *, since: datetime) -> UUID | None:
        return selectors.last_author(row_id, since=since)


audit_log.register(RegisteredLog())
