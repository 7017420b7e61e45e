"""The waitlist: entries in order of rank; add, remove, accept or decline the open offer."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypedDict, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import WithAnnotations

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments import rules, selectors, services
from apps.appointments.models import OfferStatus, WaitlistEntry, WaitlistOffer, WaitPriority, WaitStatus
from apps.appointments.rights import Permission
from apps.appointments.services import AcceptedOffer, NewWaitlistEntry
from apps.common import clinic_times, clock
from apps.desk.appointments import labels
from apps.desk.appointments.appointments import DoctorFilter
from apps.desk.appointments.booking import BookingAdmin, warn
from apps.desk.appointments.forms import ClockInput, DayField, DoctorField
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import ServiceForm
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors as patients
from apps.patients.chart import banner
from apps.patients.models import Patient
from apps.patients.rights import Permission as PatientPermission
from apps.patients.rules import QUERY_MAX

_FIELDS = ("appointment_type", "doctor", "duration_minutes", "date_from", "date_to", "time_from", "time_to", "priority", "note")
_SHOWN = ("who", "kind", "doctor_name", "length", "days", "times", "urgency", "note")
_STATE = ("state", "visit", "offers", "added_by")


class StateFilter(admin.SimpleListFilter):
    """Filters by status; waiting entries by default."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, labels.status(status.value)) for status in WaitStatus]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == (self.value() or WaitStatus.WAITING), "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[WaitlistEntry]) -> QuerySet[WaitlistEntry]:
        return queryset.filter(status=self.value() or WaitStatus.WAITING)


class _OfferedTime(TypedDict):
    offered: datetime | None  # `WaitlistAdmin.get_queryset` adds it


_Offered: TypeAlias = "WithAnnotations[WaitlistEntry, _OfferedTime]"


class OfferFilter(admin.SimpleListFilter):
    """Filters by entries with an open offer."""

    title = _("offer")
    parameter_name = "offer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", labels.status("open"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[_Offered]) -> QuerySet[_Offered]:
        return queryset.exclude(offered=None) if self.value() == "open" else queryset


class WaitlistEntryForm(ServiceForm[WaitlistEntry]):
    """Which doctor the patient would see, and when."""

    own: UUID | None = None  # set by the page for a doctor, who may use only their own waitlist

    doctor = DoctorField(required=False)
    duration_minutes = forms.IntegerField(
        label=_("Minutes"),
        required=False,
        min_value=rules.SHORTEST,
        max_value=rules.LONGEST,
        help_text=_("Leave blank for the doctor’s usual length of this type."),
    )
    date_from = DayField(label=_("From"))
    date_to = DayField(label=_("Until"), help_text=_("The last acceptable day"))
    time_from = forms.TimeField(label=_("Earliest"), required=False, widget=ClockInput)
    time_to = forms.TimeField(
        label=_("Latest"), required=False, widget=ClockInput, help_text=_("Leave both blank if any time of day is acceptable.")
    )
    priority = forms.ChoiceField(label=_("Priority"), choices=labels.PRIORITIES.items(), initial=WaitPriority.MEDIUM.value)

    class Meta:
        model = WaitlistEntry
        fields = _FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "doctor" in self.fields:
            field = cast("DoctorField", self.fields["doctor"])
            field.offer()
            field.empty_label = gettext("Any doctor")
            if self.own is not None:
                field.queryset = User.objects.filter(pk=self.own)


class OfferForm(forms.Form):
    """Accepts or declines the offer that the page showed, even if another offer is open by now."""

    offer = forms.ChoiceField(label=_("Offered time"), widget=forms.RadioSelect)


def _has_open_offer(row: WaitlistEntry, user: Any) -> bool:  # noqa: ARG001
    return row.status == WaitStatus.WAITING and _open_offers(row).exists()


def _open_offers(row: WaitlistEntry) -> QuerySet[WaitlistOffer]:
    return WaitlistOffer.objects.filter(entry=row, status=OfferStatus.OPEN, expires_at__gt=clock.now())


def _accept(by: Actor, row: WaitlistEntry, answers: Mapping[str, Any]) -> AcceptedOffer:
    return services.accept_offer(by=by, entry_id=row.pk, offer_id=UUID(answers["offer"]))


def _decline(by: Actor, row: WaitlistEntry, answers: Mapping[str, Any]) -> None:
    services.decline_offer(by=by, entry_id=row.pk, offer_id=UUID(answers["offer"]))


def _booked(request: HttpRequest, row: WaitlistEntry, done: AcceptedOffer) -> HttpResponse:
    appointment = done.booked.appointment
    warn(request, done.booked)
    details = (
        f"{labels.patient(row.patient)}, {labels.moment(appointment.scheduled_time)}, {appointment.duration_minutes} minutes."
    )
    messages.success(request, f"Booked: {details}")
    return HttpResponseRedirect(reverse("admin:appointments_appointment_change", args=[appointment.pk]))


ROW_ACTIONS = (
    RowAction(
        name="accept",
        label="Accept the offer",
        permission=Permission.WAITLIST_KEEP,
        form=OfferForm,
        run=_accept,
        question="The patient takes this time. It isn't reserved; the first to accept gets it.",
        done="The appointment is booked.",
        available=_has_open_offer,
        result_page=_booked,
    ),
    RowAction(
        name="decline",
        label="Decline the offer",
        permission=Permission.WAITLIST_KEEP,
        form=OfferForm,
        run=_decline,
        question="The patient does not want this time and keeps waiting. We ask the next patient on the list.",
        done="The offer is declined. We ask the next patient on the list.",
        available=_has_open_offer,
    ),
    RowAction(
        name="withdraw",
        label="Take off the waiting list",
        permission=Permission.WAITLIST_KEEP,
        run=lambda by, row, _: services.withdraw_from_waitlist(by=by, entry_id=row.pk),
        question="This takes the patient off the waiting list. An open offer goes to the next patient.",
        done="The patient is off the waiting list.",
        available=lambda row, user: row.status == WaitStatus.WAITING,  # noqa: ARG005
        destructive=True,
    ),
)


@admin.register(WaitlistEntry)
class WaitlistAdmin(HimsModelAdmin[WaitlistEntry]):
    """The waitlist in the order in which patients get offers."""

    resource = "waitlist"
    title = _("Waiting list")
    add_label = _("Add to the waiting list")
    list_audit_action = "listed"
    needs = {"view": Permission.WAITLIST_VIEW, "add": Permission.WAITLIST_KEEP}
    form = WaitlistEntryForm
    list_display = ("who", "urgency", "kind", "doctor_name", "days", "times", "since", "offer", "state")
    list_filter = (StateFilter, OfferFilter, DoctorFilter)
    search_fields = ("patient__mrn",)
    search_help_text = _("The patient: name in any order, MRN, telephone digits, date of birth")
    readonly_fields = (*_SHOWN, *_STATE)
    row_actions = ROW_ACTIONS
    booked_for: Any = BookingAdmin.booked_for  # the patient that the address names, as for a booking
    requested_patient_id: Any = BookingAdmin.requested_patient_id

    def row_name(self, row: WaitlistEntry) -> str:
        return f"{self.kind(row)}, {self.days(row)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitlistEntry]:
        offers = WaitlistOffer.objects.filter(entry=OuterRef("pk"), status=OfferStatus.OPEN, expires_at__gt=clock.now())
        rows = WaitlistEntry.objects.visible_to(cast("Actor", request.user)).ranked()
        rows = rows.annotate(offered=Subquery(offers.values("scheduled_time")[:1]))
        return rows.select_related("patient", "doctor", "appointment", "added_by")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("rank", "created_at", "id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WaitlistEntry], search_term: str
    ) -> tuple[QuerySet[WaitlistEntry], bool]:
        text, by = search_term.strip()[:QUERY_MAX], cast("Actor", request.user)
        if not text:
            return queryset, False
        matches = patients.search_within(Patient.objects.visible_to(by), text, by).order_by()
        return queryset.filter(patient__in=matches.values("pk")), False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """`?patient=` is the patient; without it, the page asks to search for one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not request.GET.get("patient"):
            messages.info(request, "Find the patient. “Put on the waiting list” is next to the patient’s next appointments.")
            return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))
        patient = self.booked_for(request)
        title = {"title": gettext("Put on the waiting list"), "subtitle": patient.title}
        response = super().add_view(request, form_url, title | (extra_context or {}))
        self.record_form_access(request, response, patient.pk)
        return response

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": _FIELDS})]
        sees_notes = can_open(request.user, Permission.APPOINTMENT_SEE_NOTES)
        shown = tuple(name for name in _SHOWN if name != "note" or sees_notes)
        return [(_("Waiting for"), {"fields": shown}), (_("Status"), {"fields": _STATE})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*_SHOWN, *_STATE)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.own = None if can_open(request.user, Permission.APPOINTMENT_ANY) else request.user.pk
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = None if can_open(request.user, Permission.APPOINTMENT_ANY) else request.user.pk
        return {"doctor": request.GET.get("doctor") or own, "date_from": clock.today()}

    def add(self, request: HttpRequest, form: Any) -> WaitlistEntry:
        cleaned = form.cleaned_data
        fields = {name: cleaned[name] for name in _FIELDS if name != "doctor"} | {"note": cleaned["note"].strip()}
        doctor_id = cleaned["doctor"].pk if cleaned["doctor"] else None
        new = NewWaitlistEntry(patient_id=self.requested_patient_id(request), doctor_id=doctor_id, **fields)
        return services.add_to_waitlist(by=cast("Actor", request.user), new=new)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        words = {"patient": labels.patient(obj.patient), "day": clinic_times.day(obj.date_to)}
        messages.success(request, gettext("%(patient)s is on the waiting list until %(day)s.") % words)
        return HttpResponseRedirect(self.after_row_action(obj))

    def row_action_form(self, request: HttpRequest, row: WaitlistEntry, action: RowAction) -> forms.Form:
        form = super().row_action_form(request, row, action)
        if isinstance(form, OfferForm):
            theirs = _open_offers(row) if request.method != "POST" else WaitlistOffer.objects.filter(entry=row)
            field = cast("forms.ChoiceField", form.fields["offer"])
            field.choices = [(str(one.pk), _line(one)) for one in theirs.select_related("doctor")]
            field.initial = next((value for value, _ in field.choices), None)
        return form

    def page_context(self, request: HttpRequest, row: WaitlistEntry | None) -> dict[str, Any]:
        patient = row.patient if row is not None else self.booked_for(request)
        return {
            "banner": banner.of(patient, cast("Actor", request.user)),
            "may_read_chart": can_open(request.user, PatientPermission.CHART_VIEW),
        }

    def patient_of(self, row: WaitlistEntry) -> UUID:
        return row.patient_id

    @admin.display(description=_("patient"))
    def who(self, row: WaitlistEntry) -> str:
        return format_html("<bdi>{}</bdi> {}", labels.patient(row.patient), row.patient.mrn)

    @admin.display(description=_("priority"))
    def urgency(self, row: WaitlistEntry) -> str:
        return str(labels.PRIORITIES[row.priority])

    @admin.display(description=_("type"))
    def kind(self, row: WaitlistEntry) -> str:
        return labels.kind(row.appointment_type)

    @admin.display(description=_("doctor"))
    def doctor_name(self, row: WaitlistEntry) -> str:
        return labels.doctor(row.doctor) if row.doctor else gettext("any")

    @admin.display(description=_("minutes"))
    def length(self, row: WaitlistEntry) -> str:
        return str(row.duration_minutes or gettext("the doctor’s usual"))

    @admin.display(description=_("days"))
    def days(self, row: WaitlistEntry) -> str:
        first, last = (clinic_times.day(day).replace(" ", "\u00a0") for day in (row.date_from, row.date_to))  # in one line each
        return gettext("%(first)s to %(last)s") % {"first": first, "last": last}

    @admin.display(description=_("times"))
    def times(self, row: WaitlistEntry) -> str:
        return f"{row.time_from:%H:%M}–{row.time_to:%H:%M}" if row.time_from and row.time_to else gettext("any")

    @admin.display(description=_("waiting since"))
    def since(self, row: WaitlistEntry) -> str:
        return labels.short_moment(row.created_at)

    @admin.display(description=_("on offer"))
    def offer(self, row: Any) -> str:
        return labels.short_moment(row.offered) if row.offered else ""

    @admin.display(description=_("status"))
    def state(self, row: WaitlistEntry) -> str:
        return labels.status(row.status)

    @admin.display(description=_("appointment"))
    def visit(self, row: WaitlistEntry) -> str:
        if row.appointment is None:
            return ""
        url = reverse("admin:appointments_appointment_change", args=[row.appointment.pk])
        return format_html('<a href="{}">{}</a>', url, labels.moment(row.appointment.scheduled_time))

    @admin.display(description=_("offers"))
    def offers(self, row: WaitlistEntry) -> str:
        made = selectors.offers_of([row.pk])[row.pk]
        lines = [(_line(one), labels.status(one.status)) for one in made]
        return format_html_join("", "<div>{}: {}</div>", lines) or gettext("none yet")


def with_an_open_offer(user: Any) -> int:
    """Returns how many patients have an open offer."""
    offers = WaitlistOffer.objects.filter(entry=OuterRef("pk"), status=OfferStatus.OPEN, expires_at__gt=clock.now())
    rows = WaitlistEntry.objects.visible_to(user).filter(Exists(offers), status=WaitStatus.WAITING)
    return rows.count()


def _line(offer: WaitlistOffer) -> str:
    until = labels.clock_time(offer.expires_at)
    return (
        f"{labels.moment(offer.scheduled_time)}, {labels.doctor(offer.doctor)}, {offer.duration_minutes} minutes, until {until}"
    )
