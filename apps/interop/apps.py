"""The interop app."""

from apps.common.domain import DomainConfig


class InteropConfig(DomainConfig):
    name = "apps.interop"
    floor = 10
