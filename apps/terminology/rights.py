"""The rights of the code systems: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import EVERYONE_BUT_MANAGER
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    TERMINOLOGY_READ = "terminology.read", EVERYONE_BUT_MANAGER, Scope.HISTORY_READ  # look up codes
