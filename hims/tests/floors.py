"""The floors of the architecture, as the apps declare them: an app imports only apps of lower floors."""

from apps.common import domain

FLOOR = {config.label: config.floor for config in domain.installed()}
