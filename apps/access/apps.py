"""The access app: rights, roles and scopes, with the command that prints them."""

from apps.common.domain import DomainConfig


class AccessConfig(DomainConfig):
    name = "apps.access"
    floor = 1
