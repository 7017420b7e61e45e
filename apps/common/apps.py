"""The common floor as a Django app."""

from apps.common.domain import DomainConfig


class CommonConfig(DomainConfig):
    name = "apps.common"
    floor = 0
