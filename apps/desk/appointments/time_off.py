"""Doctors' time off: added and removed."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.accounts.rights import Permission as AccountPermission
from apps.appointments import services
from apps.appointments.models import TimeOff
from apps.appointments.rights import Permission
from apps.desk.appointments import labels, reschedule
from apps.desk.appointments.appointments import DoctorFilter
from apps.desk.appointments.forms import DoctorField, MomentField
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import ServiceForm
from apps.desk.kit.panel import Panel
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open


def may_schedule(user: Any, doctor_id: Any) -> bool:
    """Returns whether the user plans this doctor's schedule: their own, or any."""
    plans = user.has_permission(Permission.SCHEDULE_KEEP)
    return bool(plans and (user.has_permission(Permission.APPOINTMENT_ANY) or doctor_id == user.pk))


class TimeOffForm(ServiceForm[TimeOff]):
    """The period of time off."""

    doctor = DoctorField()
    starts_at = MomentField(label=_("From"))
    ends_at = MomentField(label=_("Until"), help_text=_("When the doctor is back"))

    class Meta:
        model = TimeOff
        fields = ("doctor", "starts_at", "ends_at", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "doctor" in self.fields:
            cast("DoctorField", self.fields["doctor"]).offer()


@admin.register(TimeOff)
class TimeOffAdmin(HimsModelAdmin[TimeOff]):
    """All users who see doctors see their time off; only users who plan schedules see the reason."""

    resource = "time_off"
    title = _("Days away")
    add_label = _("Add days away")
    list_audit_action = "listed"
    needs = {"view": AccountPermission.DOCTOR_VIEW, "add": Permission.SCHEDULE_KEEP}
    form = TimeOffForm
    list_display = ("whose", "since", "back", "reason")
    list_filter = (DoctorFilter,)
    ordering = ("-starts_at", "-id")
    readonly_fields = ("whose", "since", "back", "booked")
    row_actions = (
        RowAction(
            name="remove",
            label="Remove time off",
            permission=Permission.SCHEDULE_KEEP,
            run=lambda by, row, _: services.remove_time_off(by=by, doctor_id=row.doctor_id, time_off_id=row.pk),
            question="The doctor is available after all: the time is offered again.",
            done="The time off is removed.",
            available=lambda row, user: may_schedule(user, row.doctor_id),
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"tabs": reschedule.cover_tabs(request, reschedule.AWAY)} | (extra_context or {}))

    def row_name(self, row: TimeOff) -> str:
        period = {"doctor": labels.doctor(row.doctor), "since": self.since(row), "until": self.back(row)}
        return gettext("%(doctor)s, %(since)s to %(until)s") % period

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeOff]:
        return super().get_queryset(request).select_related("doctor")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> TimeOff | None:
        """Returns the row with the number of booked appointments in it that the user may see."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            cast("Any", row).visits_affected = services.count_affected(cast("Actor", request.user), row)
        return row

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(name for name in self.list_display if name != "reason" or can_open(request.user, Permission.SCHEDULE_KEEP))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("doctor", "starts_at", "ends_at", "reason")})]
        why = ("reason", "added_by") if can_open(request.user, Permission.SCHEDULE_KEEP) else ()
        return [(None, {"fields": ("whose", "since", "back", *why, "booked")})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = None if can_open(request.user, Permission.APPOINTMENT_ANY) else cast("Any", request.user).pk
        return {"doctor": request.GET.get("doctor") or own}

    def add(self, request: HttpRequest, form: Any) -> TimeOff:
        cleaned = form.cleaned_data
        return services.add_time_off(
            by=cast("Actor", request.user),
            doctor_id=cleaned["doctor"].pk,
            starts_at=cleaned["starts_at"],
            ends_at=cleaned["ends_at"],
            reason=cleaned["reason"],
        )

    def response_add(self, request: HttpRequest, obj: TimeOff, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(
            request,
            gettext("%(doctor)s is away from %(time)s.")
            % {"doctor": labels.doctor(obj.doctor), "time": labels.moment(obj.starts_at)},
        )
        if count := services.count_affected(cast("Actor", request.user), obj):
            messages.warning(
                request,
                gettext("Booked appointments in that time: %(count)s. Move them with the button below.") % {"count": count},
            )
        return HttpResponseRedirect(reverse("admin:appointments_timeoff_change", args=[obj.pk]))

    def page_context(self, request: HttpRequest, row: TimeOff | None) -> dict[str, Any]:
        """Links users who plan the doctor's schedule to the page that moves its appointments."""
        if row is None or not may_schedule(request.user, row.doctor_id):
            return {}
        url = reschedule.reschedule_url(row.doctor_id, row.starts_at, row.ends_at)
        return {"panels": [Panel(gettext("Booked appointments"), (), "", ((gettext("Move this doctor’s appointments"), url),))]}

    def after_row_action(self, row: TimeOff) -> str:
        return reverse("admin:appointments_timeoff_changelist")

    @admin.display(description=_("doctor"))
    def whose(self, row: TimeOff) -> str:
        return labels.doctor(row.doctor)

    @admin.display(description=_("from"))
    def since(self, row: TimeOff) -> str:
        return labels.moment(row.starts_at)

    @admin.display(description=_("until"))
    def back(self, row: TimeOff) -> str:
        return labels.moment(row.ends_at)

    @admin.display(description=_("booked appointments in that time"))
    def booked(self, row: TimeOff) -> str:
        return str(vars(row).get("visits_affected", ""))
