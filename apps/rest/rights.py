"""The rights of the platform: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import Role


class Permission(permissions.Permission):
    DELIVERY_RETRY = (
        "delivery.retry",
        {Role.ADMIN},
        None,
    )  # see background jobs and which events did not reach a listener; try again
