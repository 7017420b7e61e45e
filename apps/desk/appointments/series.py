"""Series: repeated appointments that are booked and viewed together, and whose future appointments can be cancelled."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminErrorList
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments import rules, selectors, services
from apps.appointments.models import Appointment, Series
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability, recurrence
from apps.appointments.scheduling.recurrence import Rhythm
from apps.appointments.services import NothingBooked
from apps.common import clock
from apps.common.errors import Forbidden, HimsError
from apps.common.text import isolated
from apps.desk.appointments import labels, rhythms
from apps.desk.appointments.booking import BookingAdmin
from apps.desk.appointments.series_forms import FIELDS, USUAL, CancelRestForm, SeriesForm, clash, rows
from apps.desk.kit.forms import ServiceForm, show_refusal
from apps.desk.kit.panel import Panel
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors as patients
from apps.patients.chart import banner
from apps.patients.models import Patient
from apps.patients.rights import Permission as PatientPermission
from apps.patients.rules import QUERY_MAX

_LEFT_OUT = "series_left_out"  # in the session: the appointments that the last booking left out, for the next page
_PAGE = "admin:appointments_series_"


def _cancel(by: Actor, row: Series, answers: Mapping[str, Any]) -> list[Appointment]:
    since = answers["since"]
    return services.cancel_rest(
        by=by,
        series_id=row.pk,
        reason=answers["reason"].strip(),
        notify_patient=answers["notify_patient"],
        since=rules.instant(since, datetime.min.time(), availability.clinic_zone()) if since else None,
    )


def _show_cancelled(request: HttpRequest, row: Series, answer: Sequence[Appointment]) -> HttpResponse:
    messages.success(request, f"Appointments cancelled: {len(answer)}. Their times are free.")
    return HttpResponseRedirect(reverse(f"{_PAGE}change", args=[row.pk]))


def _may_cancel(row: Any, user: Any) -> bool:
    """Returns whether the series has future appointments, all in schedules that the user may change."""
    coming = [one for one in row.visits if one.status in rules.MOVABLE and one.scheduled_time >= clock.now()]
    return bool(coming) and (user.has_permission(Permission.APPOINTMENT_ANY) or all(one.doctor_id == user.pk for one in coming))


class SeriesList(ChangeList):
    """Fetches the appointments of all series on the page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        every = (
            selectors.appointments(visible_to=cast("Actor", request.user))
            .filter(series__in=rows)
            .order_by("scheduled_time", "id")
        )
        visits: dict[UUID, list[Appointment]] = {}
        for one in every:
            visits.setdefault(cast("UUID", one.series_id), []).append(one)
        for row in rows:
            row.visits = visits.get(row.pk, [])
        self.result_list = rows


@admin.register(Series)
class SeriesAdmin(BookingAdmin[Series]):
    """Series of appointments. Users who book appointments book series; doctors only in their own schedule."""

    resource = "series"
    title = _("Repeat bookings")
    add_label = _("Book repeat appointments")
    booking_title = _("Book repeat appointments")
    list_audit_action = "searched"
    form_classes = (SeriesForm, ServiceForm)
    needs = {"view": Permission.APPOINTMENT_VIEW, "add": Permission.APPOINTMENT_BOOK}
    list_display = ("begins", "who", "doctor_name", "rhythm", "booked", "to_come")
    list_display_links = ("begins",)
    search_fields = ("pk",)  # shows the box; `get_search_results` decides
    search_help_text = _("The patient: name in any order, MRN, telephone digits, date of birth")
    ordering = ("-created_at", "-id")
    readonly_fields = ("rhythm", "booked", "to_come")
    row_actions = (
        RowAction(
            name="cancel-rest",
            label="Cancel remaining appointments",
            permission=Permission.APPOINTMENT_CHANGE,
            form=CancelRestForm,
            run=_cancel,
            question="The future appointments of this repeat booking will not take place. This cannot be undone.",
            done="The remaining appointments are cancelled.",
            available=_may_cancel,
            destructive=True,
            result_page=_show_cancelled,
        ),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SeriesList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Series], search_term: str
    ) -> tuple[QuerySet[Series], bool]:
        text, by = search_term.strip()[:QUERY_MAX], cast("Actor", request.user)
        if not text:
            return queryset, False
        matches = patients.search_within(Patient.objects.visible_to(by), text, by).order_by()
        return queryset.filter(Exists(Appointment.objects.filter(series=OuterRef("pk"), patient__in=matches.values("pk")))), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.visits = selectors.of_series(cast("Actor", request.user), row.pk)
        return row

    def patient_of(self, row: Any) -> UUID:
        patient_id: UUID = row.visits[0].patient_id
        return patient_id

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": FIELDS if obj is None else self.readonly_fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    # Booking

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the values that the link passed."""
        given = {name: request.GET[name] for name in ("duration_minutes", "room") if name in request.GET}
        return USUAL | super().get_changeform_initial_data(request) | given

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        form = context["adminform"].form
        if isinstance(form, SeriesForm) and form.previews:
            form.errors.pop(NON_FIELD_ERRORS, None)
            if not form.errors:
                context["plan"] = self._plan(request, form)
            context["errors"] = AdminErrorList(form, [])
        return super().render_change_form(request, context, *args, **kwargs)

    def add(self, request: HttpRequest, form: SeriesForm) -> Any:
        by = cast("Actor", request.user)
        done = services.book_series(by=by, new=form.new(self.requested_patient_id(request)))
        request.session[_LEFT_OUT] = {"series": str(done.series.pk), "clashes": [_stored(clash) for clash in done.clashes]}
        for warned in done.warnings:
            messages.warning(request, f"{warned.message} {_times(warned.scheduled_times)}")
        return done.series

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        patient, booked = self.booked_for(request), Appointment.objects.filter(series=obj.pk).count()
        message = f"Booked: {isolated(patient.full_name)}, {booked} of {obj.occurrences} appointments."
        if booked < obj.occurrences:
            messages.warning(request, f"{message} The others are listed below, with free times instead.")
        else:
            messages.success(request, message)
        return HttpResponseRedirect(reverse(f"{_PAGE}change", args=[obj.pk]))

    def _plan(self, request: HttpRequest, form: SeriesForm) -> list[dict[str, Any]]:
        """Returns what would be booked, in order of time; empty if the service refuses, which the form shows."""
        try:
            plan = services.plan_series(by=cast("Actor", request.user), new=form.new(self.requested_patient_id(request)))
        except Forbidden:
            raise
        except NothingBooked as nothing:
            return [clash(**one) for one in nothing.details["clashes"]]
        except HimsError as refusal:
            show_refusal(form, refusal)
            return []
        return rows(plan)

    # The page of a series

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        if row is None:
            return super().page_context(request, None)
        may_read_chart = can_open(request.user, PatientPermission.CHART_VIEW)
        return {
            "banner": banner.of(row.visits[0].patient, request.user),  # type: ignore[arg-type]  # only staff get here
            "may_read_chart": may_read_chart,
            "title": gettext("Repeat booking"),
            "visits": [_appointment(one) for one in row.visits],
            "left_out": _left_out(request, row),
        }

    @admin.display(description=_("first appointment"))
    def begins(self, row: Any) -> str:
        return labels.moment(row.visits[0].scheduled_time)

    @admin.display(description=_("patient"))
    def who(self, row: Any) -> str:
        patient = row.visits[0].patient
        url = reverse("admin:patients_patient_change", args=[patient.pk])
        return format_html('<a href="{}">{}</a> {}', url, labels.patient(patient), patient.mrn)

    @admin.display(description=_("doctor"))
    def doctor_name(self, row: Any) -> str:
        return ", ".join(dict.fromkeys(labels.doctor(one.doctor) for one in row.visits))

    @admin.display(description=_("how often"))
    def rhythm(self, row: Series) -> str:
        return rhythms.words(row.rhythm)

    @admin.display(description=_("appointments booked"))
    def booked(self, row: Any) -> str:
        return gettext("%(booked)s of %(number)s") % {"booked": len(row.visits), "number": row.occurrences}

    @admin.display(description=_("still to come"))
    def to_come(self, row: Any) -> str:
        now = clock.now()
        return str(sum(one.status in rules.MOVABLE and one.scheduled_time >= now for one in row.visits))


def series_panel(request: HttpRequest, row: Appointment) -> Panel | None:
    """Returns the panel on an appointment's page: its series, or a link to book one that follows it."""
    if row.series_id:
        times = list(
            Appointment.objects.visible_to(cast("Actor", request.user))
            .filter(series=row.series_id)
            .order_by("scheduled_time", "id")
            .values_list("pk", flat=True)
        )
        label = f"Appointment {times.index(row.pk) + 1} of {len(times)}: view all"
        return Panel("Repeat booking", ((reverse(f"{_PAGE}change", args=[row.series_id]), label),), "")
    user = cast("Any", request.user)
    mine = can_open(user, Permission.APPOINTMENT_ANY) or row.doctor_id == user.pk
    if not (can_open(user, Permission.APPOINTMENT_BOOK) and mine and row.patient.is_active and not row.patient.deceased_at):
        return None
    return Panel("Repeat booking", (), "", (("Book follow-up appointments", _follow_ups(row)),))


def _follow_ups(row: Appointment) -> str:
    """Returns the address that books a series like this appointment: the same time of day, a week later."""
    _, following = recurrence.occurrences(row.scheduled_time, rhythm=Rhythm(count=2), zone=availability.clinic_zone())
    parameters = {
        "patient": row.patient_id,
        "doctor": row.doctor_id,
        "appointment_type": "follow_up",
        "at": _iso(following.at),
        "duration_minutes": row.duration_minutes,
        "room": row.room_id or "",
    }
    return f"{reverse(f'{_PAGE}add')}?{urlencode({name: value for name, value in parameters.items() if value})}"


def _stored(clash: Any) -> dict[str, Any]:
    return {
        "at": _iso(clash.scheduled_time),
        "taken": list(clash.taken),
        "instead": [_iso(one["scheduled_time"]) for one in clash.alternatives],
    }


def _left_out(request: HttpRequest, row: Any) -> list[dict[str, Any]]:
    """Returns what the preceding booking left out, without what was booked instead since."""
    stored = request.session.get(_LEFT_OUT) or {}
    if stored.get("series") != str(row.pk):
        return []
    booked_times, first = {_iso(one.scheduled_time) for one in row.visits}, row.visits[0]
    open_still = [clash for clash in stored["clashes"] if not booked_times & set(clash["instead"])]
    parameters = {
        "patient": first.patient_id,
        "doctor": first.doctor_id,
        "appointment_type": first.appointment_type,
        "series": row.pk,
    }
    book = f"{reverse('admin:appointments_appointment_add')}?{urlencode(parameters)}"
    return [
        {
            "when": _time_label(clash["at"]),
            "taken": clash["taken"],
            "free_times": [(f"{book}&{urlencode({'at': at})}", _time_label(at)) for at in clash["instead"]],
        }
        for clash in open_still
    ]


def _appointment(row: Appointment) -> dict[str, Any]:
    return {
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "when": labels.moment(row.scheduled_time),
        "doctor": labels.doctor(row.doctor),
        "kind": labels.kind(row.appointment_type),
        "room": isolated(row.room.name) if row.room else "",
        "state": labels.STATES[Status(row.status)],
    }


def _times(times: Sequence[datetime]) -> str:
    return "; ".join(map(labels.moment, times)) + "."


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_label(stored: str) -> str:
    return labels.moment(datetime.fromisoformat(stored))
