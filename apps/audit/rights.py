"""The rights of the audit log: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import Role
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    AUDIT_VIEW = "audit.view", {Role.ADMIN}, Scope.AUDIT_READ
