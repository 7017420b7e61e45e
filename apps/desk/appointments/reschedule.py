"""Moves an absent doctor's appointments: the user reviews a plan, confirms it, and can undo it for ten minutes."""

from datetime import datetime, time, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminErrorList
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments import rules, selectors, services
from apps.appointments.models import Appointment, BulkReschedule, RescheduledAppointment
from apps.appointments.rights import Permission
from apps.appointments.scheduling import availability, reschedule_plan
from apps.appointments.scheduling.services.reschedule import BulkRescheduleResult, ReschedulePlan, undo_until
from apps.audit import services as audit
from apps.common import clock
from apps.common.errors import Forbidden, HimsError
from apps.common.text import isolated
from apps.desk.appointments import labels, moments, reschedule_forms
from apps.desk.appointments.appointments import DoctorFilter
from apps.desk.appointments.reschedule_forms import RescheduleForm
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import show_refusal
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.rest import sample_ids

_FIELDS = ("doctor_id", "date_from", "date_to", "to_doctor_id", "reason", "notify_patient")
_HEAD = ("whose", "new_doctor", "since", "until", "reason", "patients_notified", "moved", "by", "state")
_PAGE = "admin:appointments_bulkreschedule_"


AWAY, MOVES = "away", "moves"  # the tabs of “Cover for absence”


def cover_tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """Returns the tabs of “Cover for absence”; none for users who may not move appointments."""
    if not can_open(request.user, Permission.SCHEDULE_KEEP):
        return []
    tabs = (
        (AWAY, gettext("Days away"), "admin:appointments_timeoff_changelist"),
        (MOVES, gettext("Moves"), f"{_PAGE}changelist"),
    )
    return [{"label": label, "url": reverse(page), "is_current": name == current} for name, label, page in tabs]


def reschedule_url(doctor_id: Any = None, since: datetime | None = None, until: datetime | None = None) -> str:
    """Returns the address of the page that moves appointments, with the known values."""
    parameters = {"doctor": doctor_id, "from": since and since.isoformat(), "until": until and until.isoformat()}
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{reverse(f'{_PAGE}add')}?{query}" if query else reverse(f"{_PAGE}add")


def _show_undone(request: HttpRequest, row: BulkReschedule, answer: BulkReschedule) -> HttpResponse:
    results = list(RescheduledAppointment.objects.filter(move=answer).values_list("result", flat=True))
    messages.success(request, f"Appointments moved back: {results.count(RescheduledAppointment.Result.PUT_BACK)}.")
    if not_undone := results.count(RescheduledAppointment.Result.KEPT):
        messages.warning(request, f"Appointments that were not moved back: {not_undone}. The reasons are below.")
    return HttpResponseRedirect(reverse(f"{_PAGE}change", args=[row.pk]))


@admin.register(BulkReschedule)
class BulkRescheduleAdmin(HimsModelAdmin[BulkReschedule]):
    """Users who plan schedules move appointments: doctors their own, administrators and receptionists those of any doctor."""

    resource = "move"
    title = _("Cover for absence")
    add_label = _("Move appointments")
    list_audit_action = "listed"
    needs = {"view": Permission.SCHEDULE_KEEP, "add": Permission.SCHEDULE_KEEP}
    form = RescheduleForm
    list_display = ("moved", "whose", "new_doctor", "since", "until", "visits", "state")
    list_display_links = ("moved",)
    list_filter = (DoctorFilter,)
    list_select_related = ("doctor", "to_doctor")
    ordering = ("-moved_at", "-id")
    readonly_fields = ("whose", "new_doctor", "since", "until", "patients_notified", "moved", "by", "state")
    row_actions = (
        RowAction(
            name="undo",
            label="Move the appointments back",
            permission=Permission.SCHEDULE_KEEP,
            run=lambda by, row, _: services.undo_bulk_reschedule(by=by, move_id=row.pk),
            question="Each appointment returns to its previous place if that is still free and the appointment has not "
            "changed since. The others stay where they are and are listed with the reason.",
            done="The appointments were moved back.",
            available=lambda row, _: row.undone_at is None and clock.now() <= undo_until(row),
            destructive=True,
            result_page=_show_undone,
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"tabs": cover_tabs(request, MOVES)} | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkReschedule]:
        shown = Appointment.objects.visible_to(cast("Actor", request.user)).values("pk")
        visits = (
            RescheduledAppointment.objects.filter(move=OuterRef("pk"), appointment__in=shown)
            .order_by()
            .values("move")
            .annotate(number=Count("id"))
        )
        rows = super().get_queryset(request).select_related("doctor", "to_doctor", "moved_by", "undone_by")
        return rows.annotate(visits_moved=Coalesce(Subquery(visits.values("number")), 0))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": _FIELDS if obj is None else _HEAD})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*self.readonly_fields, "reason")

    # Moving

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """`doctor`, `from` and `until` in the address fill the form."""
        return super().add_view(
            request, form_url, {"title": gettext("Move the appointments of an absent doctor")} | (extra_context or {})
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = None if can_open(request.user, Permission.APPOINTMENT_ANY) else cast("Any", request.user).pk
        zone, today = availability.clinic_zone(), clock.today()
        start, end = (moments.instant(request.GET.get(name, "")) for name in ("from", "until"))
        return {
            "doctor_id": sample_ids.resolve(request.GET.get("doctor", "")) or own,
            "date_from": start or rules.instant(today, time.min, zone),
            "date_to": end or rules.instant(today + timedelta(days=1), time.min, zone),
            "notify_patient": True,
        }

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        form = context["adminform"].form
        if context["original"] is None and form.is_bound:
            if form.is_preview:
                form.errors.pop(NON_FIELD_ERRORS, None)
            context |= self._plan(request, form)
            context["errors"] = AdminErrorList(form, [])
        return super().render_change_form(request, context, *args, **kwargs)

    def add(self, request: HttpRequest, form: RescheduleForm) -> BulkReschedule:
        done = services.bulk_reschedule(
            by=cast("Actor", request.user),
            absence=cast("Any", form.absence),
            reason=form.cleaned_data["reason"].strip(),
            notify_patient=form.cleaned_data["notify_patient"],
            agreed=reschedule_plan.plan_hash(form.seen),
        )
        _show_rescheduled(request, done)
        return done.move

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"{_PAGE}change", args=[obj.pk]))

    def _plan(self, request: HttpRequest, form: RescheduleForm) -> dict[str, Any]:
        """Returns the current plan for the template, or shows a refusal on the form. Each plan that is shown is audited."""
        absence = form.absence
        if absence is None:
            return {}
        try:
            plan = services.plan_bulk_reschedule(by=cast("Actor", request.user), absence=absence)
        except Forbidden:
            raise
        except HimsError as refusal:
            if form.refusal is None:
                show_refusal(form, refusal)
            return {}
        audit.record(
            by=cast("Actor", request.user),
            action="schedule.move_planned",
            object_id=absence.doctor_id,
            shown=len(plan.proposals),
            door="admin",
        )
        return _shown(plan, form)

    # The page of a bulk reschedule

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        if row is None:
            return {}
        by = cast("Actor", request.user)
        visits = selectors.rescheduled_appointments(by, row).select_related(
            "appointment__patient", "from_doctor", "from_room", "to_doctor", "to_room"
        )
        shown = reschedule_forms.moved(visits)
        still = [] if row.undone_at else selectors.still_movable(by, row)
        return {
            "title": gettext("Moved appointments"),
            "subtitle": f"{labels.doctor(row.doctor)}, {labels.moment(row.moved_at)}",
            "moved": shown,
            "still": [reschedule_forms.appointment_link(one) | {"when": labels.moment(one.scheduled_time)} for one in still],
        }

    @admin.display(description=_("moved"), ordering="moved_at")
    def moved(self, row: BulkReschedule) -> str:
        return labels.moment(row.moved_at)

    @admin.display(description=_("absent doctor"))
    def whose(self, row: BulkReschedule) -> str:
        return labels.doctor(row.doctor)

    @admin.display(description=_("moved to"))
    def new_doctor(self, row: BulkReschedule) -> str:
        return labels.doctor(row.to_doctor) if row.to_doctor else gettext("later, with the same doctor")

    @admin.display(description=_("from"))
    def since(self, row: BulkReschedule) -> str:
        return labels.moment(row.starts_at)

    @admin.display(description=_("until"))
    def until(self, row: BulkReschedule) -> str:
        return labels.moment(row.ends_at)

    @admin.display(description=_("appointments"))
    def visits(self, row: Any) -> str:
        return str(row.visits_moved)

    @admin.display(description=_("patients told"))
    def patients_notified(self, row: BulkReschedule) -> str:
        return gettext("yes") if row.notify_patient else gettext("no")

    @admin.display(description=_("by"))
    def by(self, row: BulkReschedule) -> str:
        return _person(row.moved_by)

    @admin.display(description=_("status"))
    def state(self, row: BulkReschedule) -> str:
        if row.undone_at:
            return gettext("moved back, %(time)s (%(by)s)") % {"time": labels.moment(row.undone_at), "by": _person(row.undone_by)}
        until = undo_until(row)
        if clock.now() > until:
            return gettext("moved")
        return gettext("moved; can be moved back until %(time)s") % {"time": labels.clock_time(until)}


def _person(user: Any) -> str:
    return isolated(user.full_name) if user else gettext("the system")


def _show_rescheduled(request: HttpRequest, done: BulkRescheduleResult) -> None:
    number = sum(one.after is not None for one in done.plan.proposals)
    messages.success(
        request, f"Appointments moved: {number}. You can undo this until {labels.clock_time(undo_until(done.move))}."
    )
    if stayed := reschedule_forms.stayed(done.plan):
        messages.warning(request, f"Appointments that were not moved. {stayed[0].upper()}{stayed[1:]}.")


def _shown(plan: ReschedulePlan, form: RescheduleForm) -> dict[str, Any]:
    rows = reschedule_forms.planned(plan, form.seen)
    return {
        "plan": rows,
        "is_planned": True,
        "can_move": any(row["after"] for row in rows),
        "to_move": sum(bool(row["after"]) for row in rows),
        "gone": reschedule_forms.gone(plan, form.seen),
    }
