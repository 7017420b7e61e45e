"""What the desk declares."""

from apps.common.domain import DomainConfig


class DeskConfig(DomainConfig):
    name = "apps.desk"
    floor = 11
