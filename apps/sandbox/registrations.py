"""What the sandbox registers in the floors below: the samples' names, readiness once the samples and the codes exist, and a
deprecated operation."""

from datetime import date

from apps.rest import deprecations, health, sample_ids
from apps.rest.deprecations import Deprecation
from apps.sandbox import selectors
from apps.sandbox.samples.sample_ids import SAMPLE_IDS
from apps.terminology import selectors as terminology

sample_ids.register(SAMPLE_IDS)
health.require("sample_data", selectors.is_seeded)
health.require("terminology", terminology.any_loaded)
deprecations.declare(
    Deprecation(
        method="GET",
        path="/sandbox/deprecated",
        announced=date(2026, 11, 22),
        sunset=date(2027, 11, 22),
        note="This endpoint will be removed in v2.0",
        successor="/version",
    )
)
