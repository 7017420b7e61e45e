"""The actor of a request: the few facts about a user that every request needs, read from the database each time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.access import permissions
from apps.accounts.models import RolePermissions
from apps.accounts.rights import Permission


class AuthenticatedActor(RolePermissions):
    """The attributes that Django and DRF expect of an authenticated user."""

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
    """A signed-in user within one session. Never built from a token alone."""

    id: UUID
    username: str
    role: str
    session_id: UUID
    last_seen_at: datetime
    reauthenticated_at: datetime | None = None  # when the password was last confirmed in this session
    enrollment_only: bool = False  # the role requires a second factor that is not set up yet

    def has_permission(self, permission: permissions.Permission) -> bool:
        if self.enrollment_only and permission is not Permission.OWN_SECURITY:
            return False
        return RolePermissions.has_permission(self, permission)
