"""The events app."""

from apps.common.domain import DomainConfig, Periodic


class EventsConfig(DomainConfig):
    name = "apps.events"
    verbose_name = "Upkeep"
    floor = 1
    beat = {"relay the events that are due": Periodic("apps.events.tasks.dispatch_due", every=5, expires=30)}
    loads = ("scheduled_jobs",)
