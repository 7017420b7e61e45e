"""The developers app."""

from apps.common.domain import DomainConfig


class DevelopersConfig(DomainConfig):
    name = "apps.developers"
    floor = 11
    api_urls = "apps.developers.api.urls"
