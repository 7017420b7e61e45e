"""The HTTP kit as a Django app."""

from apps.common.domain import DomainConfig, Periodic
from apps.rest.api.descriptions import DESCRIPTIONS


class RestConfig(DomainConfig):
    name = "apps.rest"
    floor = 2
    descriptions = DESCRIPTIONS
    api_urls = "apps.rest.api.urls"
    beat = {"delete expired idempotent replies": Periodic("apps.rest.tasks.forget_kept_replies", every=600)}
