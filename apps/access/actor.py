"""What a service needs to know of the actor: a user, an API key's owner, or the system itself."""

from typing import Protocol

from apps.access.permissions import Permission
from apps.common.actor import AuditActor


class Actor(AuditActor, Protocol):
    """A user or the system, with the permissions of the role."""

    def has_permission(self, permission: Permission) -> bool:
        """Returns whether this actor has the permission."""
        ...


class System:
    """The actor of commands and tasks: it has every permission, and the audit log says 'system'."""

    id = None
    role = "system"

    def has_permission(self, permission: Permission) -> bool:
        return True


SYSTEM = System()
