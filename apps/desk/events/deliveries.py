"""The deliveries of events to their listeners: waiting, done, and failed ones that a person must look at."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.desk.appointments import labels
from apps.desk.appointments.labels import State
from apps.desk.audit import actions
from apps.desk.events import words
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.desk.templatetags.desk import icon
from apps.events import services
from apps.events.models import Delivery
from apps.rest.rights import Permission

_PENDING = Q(status=Delivery.Status.PENDING)
# State in the page's address: its words, and the rows in it.
_STATES = {
    "failed": (State(_("Failed"), "warning", "bad"), Q(status=Delivery.Status.DEAD_LETTERED)),
    "retrying": (State(_("Trying again"), "refresh", "warn"), _PENDING & Q(attempts__gt=0)),
    "waiting": (State(_("Waiting"), "clock"), _PENDING & Q(attempts=0)),
    "done": (State(_("Done"), "done", "ok"), Q(status=Delivery.Status.DONE)),
}


class StateFilter(admin.SimpleListFilter):
    """By what happens with the delivery."""

    title = _("result")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, state.word) for name, (state, _rows) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(_STATES[state][1]) if (state := self.value()) in _STATES else queryset


@admin.register(Delivery)
class DeliveryAdmin(HimsModelAdmin[Delivery]):
    """Deliveries. A failed one can be tried again."""

    resource = "delivery"
    title = _("Deliveries of events")
    needs = {"view": Permission.DELIVERY_RETRY}
    list_display = ("work", "event_words", "occurred", "result", "attempts", "next_attempt", "reason")
    list_filter = (StateFilter,)
    list_select_related = ("event",)
    ordering = ("-id",)
    fields = ("work", "event_words", "occurred", "result", "attempts", "next_attempt", "done", "reason")
    readonly_fields = ("work", "event_words", "occurred", "result", "next_attempt", "done", "reason")
    row_actions = (
        RowAction(
            name="try-again",
            label="Try again",
            permission=Permission.DELIVERY_RETRY,
            run=lambda by, row, _: services.retry_delivery(by=by, delivery_id=row.pk),
            question="The delivery gets the same number of attempts as a new one.",
            done="The delivery is tried again within seconds.",
            available=lambda row, _: row.status == Delivery.Status.DEAD_LETTERED,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows = Delivery.objects.select_related("event").order_by("-id")
        return rows if can_open(request.user, self.needs["view"]) else rows.none()

    def patient_of(self, row: Any) -> UUID | None:
        patient_id = row.event.payload.get("patient_id")
        return UUID(patient_id) if patient_id else None

    def page_context(self, request: HttpRequest, row: Delivery | None) -> dict[str, Any]:
        context = super().page_context(request, row)
        title = "" if row is None else self.work(row)
        return context | {"title": title, "row_title": title, "subtitle": None} if title else context

    @admin.display(description=_("what follows"), ordering="listener")
    def work(self, row: Delivery) -> str:
        return words.listener(row.listener)

    @admin.display(description=_("after"))
    def event_words(self, row: Delivery) -> str:
        return actions.words(row.event.name)

    @admin.display(description=_("at"))
    def occurred(self, row: Delivery) -> str:
        return _short(row.event.occurred_at)

    @admin.display(description=_("result"))
    def result(self, row: Delivery) -> str:
        if row.status == Delivery.Status.PENDING:
            name = "retrying" if row.attempts else "waiting"
        else:
            name = "done" if row.status == Delivery.Status.DONE else "failed"
        state = _STATES[name][0]
        return format_html('<span class="{}">{}{}</span>', f"tag {state.tag}".rstrip(), icon(state.icon), state.word)

    @admin.display(description=_("next attempt"), empty_value="")
    def next_attempt(self, row: Delivery) -> str:
        return _short(row.next_attempt_at) if row.status == Delivery.Status.PENDING else ""

    @admin.display(description=_("reason"), empty_value="")
    def reason(self, row: Delivery) -> str:
        return row.last_error

    @admin.display(description=_("done"), empty_value="")
    def done(self, row: Delivery) -> str:
        return _short(row.done_at) if row.done_at else ""


def _short(at: datetime) -> SafeString:
    return format_html('<span class="nowrap">{}</span>', labels.short_moment(at))
