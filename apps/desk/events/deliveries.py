"""The deliveries of events to their listeners: pending, done, and failed ones that a person must look at."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.events import services
from apps.events.models import Delivery
from apps.rest.rights import Permission


@admin.register(Delivery)
class DeliveryAdmin(HimsModelAdmin[Delivery]):
    """Deliveries. A failed one can be tried again."""

    resource = "delivery"
    title = "Events and their listeners"
    needs = {"view": Permission.DELIVERY_RETRY}
    list_display = ("fact", "listener", "status", "attempts", "next_attempt_at", "last_error")
    list_filter = ("status",)
    list_select_related = ("event",)
    ordering = ("-id",)
    fields = ("fact", "occurred_at", "listener", "status", "attempts", "next_attempt_at", "done_at", "last_error")
    readonly_fields = ("fact", "occurred_at")
    row_actions = (
        RowAction(
            name="try-again",
            label="Try again",
            permission=Permission.DELIVERY_RETRY,
            run=lambda by, row, _: services.retry_delivery(by=by, delivery_id=row.pk),
            question="The listener is called again, with the same number of attempts as a new event.",
            done="It will be tried again within seconds.",
            available=lambda row, _: row.status == Delivery.Status.DEAD_LETTERED,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows = Delivery.objects.select_related("event").order_by("-id")
        return rows if can_open(request.user, self.needs["view"]) else rows.none()

    def patient_of(self, row: Any) -> UUID | None:
        patient_id = row.event.payload.get("patient_id")
        return UUID(patient_id) if patient_id else None

    @admin.display(description="fact")
    def fact(self, row: Delivery) -> str:
        return row.event.name

    @admin.display(description="announced")
    def occurred_at(self, row: Delivery) -> Any:
        return row.event.occurred_at
