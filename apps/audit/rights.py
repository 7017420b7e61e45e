"""The rights of the audit log: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import ADMINISTRATION, Role
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    AUDIT_VIEW = "audit.view", ADMINISTRATION, Scope.AUDIT_READ
    AUDIT_SEE_SEARCHES = "audit.see_searches", {Role.ADMIN}, None  # what was searched for: the text may name restricted patients
