"""What events contributes to the tests of the whole: the staff pages of deliveries that failed."""

from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone

from apps.events.models import Delivery, OutboxEvent


def dead_lettered() -> Delivery:
    """Create a delivery that failed for good."""
    event = OutboxEvent.objects.create(name="patient.registered", payload={"patient_id": str(uuid4())}, relayed_at=timezone.now())
    return Delivery.objects.create(
        event=event, listener="apps.x.listeners.y", status=Delivery.Status.DEAD_LETTERED, attempts=5, last_error="no"
    )


def pages(staff: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    delivery, admin = dead_lettered(), frozenset({"admin"})
    return {
        reverse("admin:events_delivery_changelist"): admin,
        reverse("admin:events_delivery_change", args=[delivery.pk]): admin,
        reverse("admin:events_delivery_try_again", args=[delivery.pk]): admin,
    }
