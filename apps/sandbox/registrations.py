"""What the sandbox registers with the kit: the system is ready once the samples and the codes are loaded, and one operation is
deprecated."""

from datetime import date

from apps.rest import deprecations, health
from apps.rest.deprecations import Deprecation
from apps.sandbox import selectors
from apps.terminology import selectors as terminology

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
