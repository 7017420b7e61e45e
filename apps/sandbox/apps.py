"""The sandbox app: where it is installed, the API accepts the names of its samples and is ready once they are loaded."""

from apps.common.domain import DomainConfig
from apps.sandbox.api.descriptions import DESCRIPTIONS
from apps.sandbox.samples.sample_ids import EXAMPLE_IDS, SAMPLE_IDS


class SandboxConfig(DomainConfig):
    name = "apps.sandbox"
    floor = 11
    descriptions = DESCRIPTIONS
    api_urls = "apps.sandbox.api.urls"
    sample_ids = SAMPLE_IDS | EXAMPLE_IDS
