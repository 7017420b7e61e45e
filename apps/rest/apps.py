"""The HTTP kit as a Django app."""

from apps.common.domain import DomainConfig, Periodic


class RestConfig(DomainConfig):
    name = "apps.rest"
    floor = 2
    api_urls = "apps.rest.api.urls"
    beat = {"delete expired idempotent replies": Periodic("apps.rest.tasks.forget_kept_replies", every=600)}
