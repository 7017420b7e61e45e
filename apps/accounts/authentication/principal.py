"""Whoever stands behind a request: the few facts of a person that every request needs, read fresh from the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.access.permissions import Permission
from apps.accounts.models import RolePermissions


class AuthenticatedActor(RolePermissions):
    """What Django and DRF ask of anybody who got past the door."""

    id: UUID

    @property
    def pk(self) -> UUID:
        return self.id

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_active(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Principal(AuthenticatedActor):
    """A signed-in person within one session. Never built from a token alone."""

    id: UUID
    username: str
    role: str
    session_id: UUID
    last_seen_at: datetime
    reauthenticated_at: datetime | None = None  # when the password was last given in this session
    enrollment_only: bool = False  # the role asks for a second factor that is not set up yet

    def has_permission(self, permission: Permission) -> bool:
        if self.enrollment_only and permission is not Permission.OWN_SECURITY:
            return False
        return RolePermissions.has_permission(self, permission)
