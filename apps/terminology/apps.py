"""The terminology app."""

from apps.common.domain import DomainConfig
from apps.terminology.api.descriptions import DESCRIPTIONS


class TerminologyConfig(DomainConfig):
    name = "apps.terminology"
    verbose_name = "Terminology"
    floor = 3
    descriptions = DESCRIPTIONS
    api_urls = "apps.terminology.api.urls"
