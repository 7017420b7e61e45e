"""What audit contributes to the tests of the whole: who may call what, and who may open which staff page."""

from typing import Any

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.tests.role_table import ADMINISTRATION, MANAGEMENT, Samples
from apps.audit import services
from apps.audit.models import AuditEvent

MATRIX = {"GET /audit-events": ADMINISTRATION, "GET /audit-events/verify": ADMINISTRATION}


def samples(staff: dict[str, Any]) -> Samples:
    """Return the page that shows the same as the list of the API."""
    return Samples(twins={reverse("admin:audit_auditevent_changelist"): "GET /audit-events"})


def pages(staff: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    services.record(by=SYSTEM, action="sample.read")
    row = AuditEvent.objects.earliest("at")
    return {
        reverse("admin:audit_auditevent_changelist"): MANAGEMENT,
        reverse("admin:audit_auditevent_change", args=[row.pk]): MANAGEMENT,
    }
