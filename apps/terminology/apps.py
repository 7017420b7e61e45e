"""The terminology app."""

from apps.common.domain import DomainConfig


class TerminologyConfig(DomainConfig):
    name = "apps.terminology"
    verbose_name = "Terminology"
    floor = 3
    api_urls = "apps.terminology.api.urls"
