"""The rights of the audit log: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import ADMINISTRATION
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    AUDIT_VIEW = "audit.view", ADMINISTRATION, Scope.AUDIT_READ
