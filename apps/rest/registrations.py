"""Collects what the installed apps declare for the kit: names that the API accepts instead of ids."""

from apps.common import domain
from apps.rest import sample_ids

for config in domain.installed():
    sample_ids.register(config.sample_ids)
