"""What a service needs to know of whoever acts: a user, an API key's owner, or the system itself."""

from typing import Protocol

from apps.access.permissions import Permission
from apps.common.actor import AuditActor


class Actor(AuditActor, Protocol):
    """Somebody who acts, and the rights that go with the role."""

    def has_permission(self, permission: Permission) -> bool:
        """Whether this actor holds the right."""
        ...

    def reads_chart(self, entry_type: str) -> bool:
        """Whether this actor may read chart entries of the type."""
        ...

    def writes_chart(self, entry_type: str) -> bool:
        """Whether this actor may record chart entries of the type."""
        ...


class System:
    """The actor of commands and tasks: it holds every right, and the audit trail says 'system'."""

    id = None
    role = "system"

    def has_permission(self, permission: Permission) -> bool:
        return True

    def reads_chart(self, entry_type: str) -> bool:
        return True

    def writes_chart(self, entry_type: str) -> bool:
        return True


SYSTEM = System()
