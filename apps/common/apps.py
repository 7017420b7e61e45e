"""The common floor as a Django app."""

from apps.common.domain import DomainConfig, Periodic


class CommonConfig(DomainConfig):
    name = "apps.common"
    floor = 0
    beat = {"compact the row counters": Periodic("apps.common.tasks.compact_row_counters", every=10, expires=30)}
