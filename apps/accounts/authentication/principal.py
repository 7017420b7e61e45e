"""The actor of a request: the few facts about a user that every request needs, read from the database each time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from apps.access import matrix, permissions
from apps.accounts.rights import Permission


class RolePermissions:
    """The permissions of a role; shared by the account and by the principal of a request."""

    role: str
    key_id: UUID | None = None  # of the API key that acts for this user; None: the user in person
    scopes: frozenset[str] = frozenset()  # of that key
    reauthenticated_at: datetime | None = None  # when the user last confirmed the password in the acting session

    def has_permission(self, permission: permissions.Permission) -> bool:
        return permission in matrix.permissions_of(self.role, admin_clinical=settings.HIMS_ADMIN_CLINICAL)


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
