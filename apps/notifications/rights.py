"""The rights of notifications: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import ADMINISTRATION, EVERYONE
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    NOTIFICATION_READ = "notification.read", EVERYONE, Scope.NOTIFICATIONS_READ  # one's own
    NOTIFICATION_SEND = "notification.send", ADMINISTRATION, Scope.NOTIFICATIONS_SEND
