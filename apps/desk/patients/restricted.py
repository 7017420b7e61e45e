"""Restricted charts in the admin: restricting a chart, its care team, emergency access, and its review."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypedDict, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import WithAnnotations

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common import clinic_times
from apps.common.errors import HimsError, NotFound
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import show_refusal
from apps.desk.kit.row_actions import ReasonForm, RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors, services
from apps.patients.confidentiality.models import BreakGlass, Restriction
from apps.patients.confidentiality.services import REASON_MIN
from apps.patients.models import Patient
from apps.patients.rights import Permission
from apps.rest import audit_log, sample_ids

_WHY = ("Danger to life", "Covering for a member of the care team", "The patient requests it", "Another emergency")
_PAGE = "patients_patient_break_glass"


class LongReasonForm(ReasonForm):
    """A form that requires a reason of more than a word."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].min_length = REASON_MIN  # type: ignore[attr-defined]  # the service has the last word
        self.fields["reason"].help_text += f" At least {REASON_MIN} characters."


class TeamForm(LongReasonForm):
    """Names the care team."""

    care_team = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        label="Care team",
        help_text="Only they see the chart, together with the doctors who have an appointment.",
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("care_team", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["care_team"].queryset = selectors.may_join_care_team()  # type: ignore[attr-defined]  # the field was declared as one of choices


class ChangeTeamForm(TeamForm):
    """Names the care team of a chart that is restricted already, where all members of the moment are ticked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["care_team"].help_text = _(
            "All who see the chart now are ticked. Those you leave unticked lose access, doctors with a visit or an appointment "
            "too. Those who are ticked keep access until you remove them. If you tick no one, only the doctors with a visit or "
            "an appointment keep access."
        )


class EmergencyForm(forms.Form):
    """The patient and the emergency: a choice from the list and a sentence."""

    mrn = forms.CharField(max_length=40, label="MRN")
    why = forms.ChoiceField(choices=[(word, word) for word in _WHY], label="Situation")
    reason = forms.CharField(
        min_length=REASON_MIN,
        max_length=300,
        label="Details",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"At least {REASON_MIN} characters. Administrators are notified and review it.",
    )


def _restrict(by: Actor, patient_id: UUID, answers: Mapping[str, Any]) -> None:
    team = [user.pk for user in answers["care_team"]]
    services.restrict(by=by, patient_id=patient_id, care_team=team, reason=answers["reason"])


RESTRICT = RowAction(
    name="restrict",
    label="Restrict the chart",
    permission=Permission.PATIENT_RESTRICT,
    form=TeamForm,
    run=lambda by, row, answers: _restrict(by, row.pk, answers),
    question="Only the care team will see the chart; if you are not a member, you will not either. You can find "
    "it by its MRN under “Restricted charts”.",
    done="The chart is restricted.",
    available=lambda row, _: not row.restricted,
    destructive=True,
)


class RestrictionMixin(HimsModelAdmin[Patient]):
    """The part of the patient's page that restricts a chart, and replaces the page of a restricted one."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("break-glass/", wrap(self.break_glass_view), name=_PAGE), *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Patient | None:
        """Returns the patient, or None; audits the refused access to a restricted chart."""
        row = super().get_object(request, object_id, from_field)
        if row is None and can_open(request.user, Permission.PATIENT_VIEW):
            self._note_refusal(request, object_id)
        return row

    def row_action_view(self, request: HttpRequest, object_id: str, action: RowAction) -> HttpResponse:
        request.about_patient = sample_ids.resolve(object_id)  # type: ignore[attr-defined]  # the page carries it on the request
        response = super().row_action_view(request, object_id, action)
        closed = action is RESTRICT and isinstance(response, HttpResponseRedirect)
        return HttpResponseRedirect(reverse("admin:patients_restriction_changelist")) if closed else response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        request.about_patient = sample_ids.resolve(object_id)  # type: ignore[attr-defined]  # the page carries it on the request
        return super().change_view(request, object_id, form_url, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = {"break_glass_url": reverse(f"admin:{_PAGE}")} if can_open(request.user, Permission.PATIENT_BREAK_GLASS) else {}
        return super().changelist_view(request, links | (extra_context or {}))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Returns a 404 page; a user with emergency access sees the explanation and the form for the reason."""
        closed = getattr(request, "withheld", None)
        if closed is None or not can_open(request.user, Permission.PATIENT_BREAK_GLASS):
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        mrn = Patient.objects.values_list("mrn", flat=True).get(pk=closed)
        page = self._emergency_page(request, EmergencyForm(initial={"mrn": mrn}), status=403)
        return HttpResponse(page.rendered_content, status=page.status_code)  # it is not a form of a row

    def break_glass_view(self, request: HttpRequest) -> HttpResponse:
        """Opens a restricted chart in an emergency, by its MRN."""
        if not can_open(request.user, Permission.PATIENT_BREAK_GLASS):
            raise PermissionDenied
        form = EmergencyForm(request.POST if request.method == "POST" else None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            answers = form.cleaned_data
            reason = f"{answers['why']}: {answers['reason']}"
            try:
                row = services.break_glass_of(by=cast("Actor", request.user), mrn=answers["mrn"], reason=reason)
            except NotFound as missing:
                form.add_error("mrn", missing.message)
            except HimsError as refusal:
                show_refusal(form, refusal)
            else:
                until = clinic_times.clock_time(row.until)
                messages.warning(
                    request, f"The chart is open to you until {until}. Everything you do in it is marked and reviewed."
                )
                return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[row.patient_id]))
        return self._emergency_page(request, form)

    def _emergency_page(self, request: HttpRequest, form: forms.Form, status: int = 200) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "This record is restricted" if status != 200 else "Emergency access to a restricted record",
            "row_action": {"label": "Open in an emergency", "question": _QUESTION, "destructive": True},
            "form": form,
            "errors": form.errors,
            "action": reverse(f"admin:{_PAGE}"),
            "back": reverse("admin:patients_patient_changelist"),
        }
        return TemplateResponse(request, "admin/patients/patient/break_glass.html", context, status=status)

    def _note_refusal(self, request: HttpRequest, object_id: str) -> None:
        patient_id = sample_ids.resolve(object_id)
        try:
            _ = patient_id and selectors.patient(cast("Actor", request.user), patient_id)
        except NotFound as refusal:
            if refusal.withheld:
                request.withheld = refusal.withheld  # type: ignore[attr-defined]  # the page carries it on the request
                audit.record(
                    by=cast("Actor", request.user),
                    action="patient.read",
                    outcome=AuditEvent.Outcome.DENIED,
                    patient_id=refusal.withheld,
                    path=audit_log.path_of(request),
                    why="The chart is restricted.",
                    door="admin",
                )


_QUESTION = (
    "Only the care team sees this chart. In an emergency you can open it for four hours. What you read "
    "and write in it is marked, and administrators are notified."
)


class _Latest(TypedDict):
    is_latest: bool  # `RestrictionAdmin.get_queryset` adds it


_Decision: TypeAlias = "WithAnnotations[Restriction, _Latest]"


def _is_in_force(row: Any) -> bool:
    return bool(row.restricted and row.patient.restricted and row.is_latest)


class InForceFilter(admin.SimpleListFilter):
    """Shows currently restricted charts, unless all decisions are requested."""

    title = "decisions"
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ever", "All decisions")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[_Decision]) -> QuerySet[_Decision]:
        return queryset if self.value() else queryset.filter(restricted=True, patient__restricted=True, is_latest=True)

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": "In force"}, *others]


@admin.register(Restriction)
class RestrictionAdmin(HimsModelAdmin[Restriction]):
    """Restricted charts, by MRN: users who may restrict find them here, without any other data."""

    resource = "restriction"
    title = "Restricted charts"
    needs = {"view": Permission.PATIENT_RESTRICT}
    list_display = ("decided_at", "whose", "restricted", "team", "reason", "decided_by")
    list_filter = (InForceFilter,)
    search_fields = ("patient__mrn",)
    search_help_text = "MRN"
    ordering = ("-decided_at", "-pk")
    fields = ("whose", "restricted", "team", "reason", "decided_by", "decided_at")
    readonly_fields = ("whose", "team")
    row_actions = (
        RowAction(
            name="team",
            label="Change the care team",
            permission=Permission.PATIENT_RESTRICT,
            form=ChangeTeamForm,
            run=lambda by, row, answers: _restrict(by, row.patient_id, answers),
            question="Selected people see the chart. All others lose access immediately.",
            done="The care team is changed.",
            available=lambda row, _: _is_in_force(row),
        ),
        RowAction(
            name="lift",
            label="Lift the restriction",
            permission=Permission.PATIENT_RESTRICT,
            form=LongReasonForm,
            run=lambda by, row, answers: services.lift_restriction(by=by, patient_id=row.patient_id, reason=answers["reason"]),
            question="Everyone whose role reads charts sees it again.",
            done="The chart is open again.",
            available=lambda row, _: _is_in_force(row),
            destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Restriction]:
        later = Restriction.objects.filter(patient=OuterRef("patient"), decided_at__gt=OuterRef("decided_at"))
        return super().get_queryset(request).select_related("patient", "decided_by").annotate(is_latest=~Exists(later))

    def patient_of(self, row: Restriction) -> UUID:
        return row.patient_id

    def row_action_form(self, request: HttpRequest, row: Restriction, action: RowAction) -> forms.Form:
        form = super().row_action_form(request, row, action)
        if isinstance(form, TeamForm):
            # Saving removes everyone who is not ticked: also the doctors who are members by a visit or an appointment.
            form.initial["care_team"] = [member.user_id for member in selectors.care_team(row.patient)]
        return form

    @admin.display(description="MRN")
    def whose(self, row: Restriction) -> str:
        return row.patient.mrn

    @admin.display(description="care team")
    def team(self, row: Any) -> str:
        """Returns who sees the chart now; of a decision that is no longer in force, who was named then."""
        members: Any = selectors.care_team(row.patient).values("user") if _is_in_force(row) else row.care_team
        people = User.objects.filter(pk__in=members).order_by("last_name", "pk")
        return ", ".join(map(str, people)) or gettext("no members")


class ReviewForm(forms.Form):
    """The result of the review."""

    review = forms.CharField(max_length=400, label="Result of the review", widget=forms.Textarea(attrs={"rows": 3}))


class ReviewedFilter(admin.SimpleListFilter):
    """Filters emergency access by reviewed or not."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("done", "Signed off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BreakGlass]) -> QuerySet[BreakGlass]:
        return queryset.filter(reviewed_at__isnull=self.value() == "waiting") if self.value() else queryset


@admin.register(BreakGlass)
class BreakGlassAdmin(HimsModelAdmin[BreakGlass]):
    """Who opened which restricted chart, when and why; each is reviewed and signed off."""

    resource = "emergency_access"
    title = "Emergency access"
    needs = {"view": Permission.GLASS_REVIEW}
    list_display = ("broken_at", "user", "whose", "reason", "until", "reviewed_by", "reviewed_at")
    list_filter = (ReviewedFilter,)
    search_fields = ("patient__mrn", "user__username", "user__last_name")
    search_help_text = "MRN, username or last name"
    ordering = ("-broken_at", "-pk")
    fields = ("user", "whose", "reason", "broken_at", "until", "review", "reviewed_by", "reviewed_at")
    readonly_fields = ("whose",)
    row_actions = (
        RowAction(
            name="review",
            label="Sign off",
            permission=Permission.GLASS_REVIEW,
            form=ReviewForm,
            run=lambda by, row, answers: services.review_glass(by=by, break_glass_id=row.pk, review=answers["review"]),
            question="You reviewed it. Your text is stored under your name.",
            done="The review is signed off.",
            available=lambda row, user: row.reviewed_at is None and row.user_id != user.pk,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BreakGlass]:
        return super().get_queryset(request).select_related("patient", "user", "reviewed_by")

    def patient_of(self, row: BreakGlass) -> UUID:
        return row.patient_id

    @admin.display(description="MRN")
    def whose(self, row: BreakGlass) -> str:
        return row.patient.mrn
