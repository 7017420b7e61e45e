"""Consultations: searched by doctor, day and status; worked through by steps; signed, amended, put on hold, handed over."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.audit.rights import Permission as AuditPermission
from apps.common.clinic_times import day
from apps.common.text import filed_name, isolated
from apps.consultations import rules, selectors, services
from apps.consultations.models import LIVE, SIGNED, Consultation
from apps.consultations.rights import Permission
from apps.consultations.rules import Status, Workflow
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import STEP_COUNT, Step
from apps.desk.appointments.labels import doctor, moment
from apps.desk.consultations import labels, page_context
from apps.desk.consultations.filters import DayFilter, DoctorFilter, StatusFilter
from apps.desk.consultations.start_pages import StartPages
from apps.desk.consultations.step_forms import acknowledged
from apps.desk.consultations.step_pages import StepPages
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.desk.templatetags.desk import icon
from apps.patients import selectors as patients
from apps.patients.models import Patient
from apps.patients.rules import QUERY_MAX


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=400, required=False, label="Why", widget=forms.Textarea(attrs={"rows": 3}))


class HandOverForm(ReasonForm):
    doctor_id = forms.ChoiceField(label="New doctor", error_messages={"required": _("Choose a doctor.")})
    field_order = ("doctor_id", "reason")


class AddendumForm(forms.Form):
    text = forms.CharField(max_length=4_000, widget=forms.Textarea(attrs={"rows": 6}))


class SignForm(forms.Form):
    """Alerts are acknowledged in fields of their own, see `step_forms.acknowledged`. `version` is that of the content which the
    page shows; a form without one has shown nothing."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    override_incomplete = forms.BooleanField(required=False, label=_("Sign with steps missing"))
    reason = forms.CharField(
        max_length=400,
        required=False,
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Why you sign with steps missing. Stored with the visit."),
    )
    notify_patient = forms.BooleanField(required=False, initial=True, label=_("Tell the patient"))

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or self.cleaned_data
        return answers | {"acknowledged": acknowledged(self.data), "version": answers.get("version") or 0}


def _may_move_to(to: Status) -> Any:
    return lambda row, user: rules.LIFECYCLE.may_follow(row.status, to) and page_context.may_act(user, row)


def _may_cancel(row: Consultation, user: Any) -> bool:
    return bool(_may_move_to(Status.CANCELLED)(row, user)) and selectors.may_cancel(user, row)


def _hand_over(by: Actor, row: Consultation, answers: Mapping[str, Any]) -> None:
    arguments = {"doctor_id": UUID(answers["doctor_id"]), "reason": answers["reason"]}
    services.hand_over(by=by, consultation_id=row.pk, **arguments)


SIGN = RowAction(
    name="complete",
    label=_("Complete and sign"),
    permission=Permission.CONSULTATION_SIGN,
    form=SignForm,
    run=lambda by, row, answers: services.complete(by=by, consultation_id=row.pk, **answers),
    question=_("Once signed, the note can't be edited; you can add an addendum."),
    done="The visit is signed.",
    available=_may_move_to(Status.COMPLETED),
)
HAND_OVER = RowAction(
    name="hand-over",
    label=_("Pass to another doctor"),
    permission=Permission.CONSULTATION_SIGN,
    form=HandOverForm,
    run=_hand_over,
    question="Another doctor continues the visit from its current step.",
    done=_("The visit is passed to the other doctor."),
    available=lambda row, user: row.status in LIVE and page_context.may_act(user, row),
)
ROW_ACTIONS = (
    SIGN,
    RowAction(
        name="addendum",
        label="Add an addendum",
        permission=Permission.CONSULTATION_SIGN,
        form=AddendumForm,
        run=lambda by, row, answers: services.add(by=by, consultation_id=row.pk, text=answers["text"]),
        question="It is signed under your name and appears below the signed note. Neither can be edited.",
        done="The addendum is signed.",
        available=_may_move_to(Status.AMENDED),
    ),
    RowAction(
        name="ready",
        label=_("Ready for doctor"),
        permission=Permission.CONSULTATION_READY,
        run=lambda by, row, _: services.ready(by=by, consultation_id=row.pk),
        question="The doctor is notified and sees the patient as ready in the queue.",
        done=_("The doctor is notified."),
        available=lambda row, user: row.status == Status.IN_PROGRESS and not row.ready_at and row.doctor_id != user.pk,
    ),
    RowAction(
        name="hold",
        label="Put on hold",
        permission=Permission.CONSULTATION_HOLD,
        form=ReasonForm,
        run=lambda by, row, answers: services.hold(by=by, consultation_id=row.pk, reason=answers["reason"]),
        question="The visit is paused, for example until a result arrives. Nothing can be saved meanwhile.",
        done="The visit is on hold.",
        available=_may_move_to(Status.ON_HOLD),
    ),
    RowAction(
        name="resume",
        label="Resume",
        permission=Permission.CONSULTATION_HOLD,
        run=lambda by, row, _: services.resume(by=by, consultation_id=row.pk),
        question="The visit continues from where it was paused.",
        done="The visit continues.",
        available=lambda row, user: row.status == Status.ON_HOLD and page_context.may_act(user, row),
    ),
    HAND_OVER,
    RowAction(
        name="cancel",
        label="Cancel the visit",
        permission=Permission.CONSULTATION_HOLD,
        form=ReasonForm,
        run=lambda by, row, answers: services.cancel(by=by, consultation_id=row.pk, reason=answers["reason"]),
        question="The patient left unseen, or the visit was started by mistake. This cannot be undone. A patient with "
        "an appointment returns to the queue.",
        done="The visit is cancelled.",
        available=_may_cancel,
        destructive=True,
    ),
)


@admin.register(Consultation)
class ConsultationAdmin(StepPages, StartPages):
    """Consultations. Services save one step at a time: there is no form for the row itself."""

    resource = "consultation"
    title = _("Visits")
    add_label = _("Start a visit")
    needs = {"view": Permission.CONSULTATION_VIEW, "add": Permission.CONSULTATION_START}
    list_display = ("started", "who", "seen_by", "kind", "how_far", "state")
    list_display_links = ("started",)
    list_filter = (DoctorFilter, DayFilter, StatusFilter)
    list_select_related = ("patient", "doctor")
    search_fields = ("patient__mrn",)
    search_help_text = _("The patient: name in any order, MRN, telephone digits, date of birth")
    ordering = ("-started_at", "-id")
    row_actions = ROW_ACTIONS

    def get_urls(self) -> list[URLPattern]:
        return [*self.step_urls(), *super().get_urls()]

    def row_name(self, row: Consultation) -> str:
        return f"{self.kind(row)}, {moment(row.started_at)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consultation]:
        rows = super().get_queryset(request).select_related("patient", "doctor", "appointment", "signed_by")
        return selectors.with_alert_since(rows) if can_open(request.user, Permission.CONSULTATION_SEE_NOTES) else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Consultation], search_term: str
    ) -> tuple[QuerySet[Consultation], bool]:
        text, by = search_term.strip()[:QUERY_MAX], cast("Actor", request.user)
        if not text:
            return queryset, False
        matches = patients.search_within(Patient.objects.visible_to(by), text, by).order_by()
        return queryset.filter(patient__in=matches.values("pk")), False

    def patient_of(self, row: Consultation) -> UUID:
        return row.patient_id

    def page_context(self, request: HttpRequest, row: Consultation | None) -> dict[str, Any]:
        return page_context.page(request, row) if row is not None else {}

    # The page of a consultation

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Shows the review of an open visit, or the visit as it was signed. Writes nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            consultation = selectors.consultation(cast("Actor", request.user), UUID(object_id))
        except ValueError as error:
            raise Http404 from error
        row = consultation.row
        self.record_access(request, "read", row)
        is_open = row.status in LIVE
        context = {
            **self.admin_site.each_context(request),
            **page_context.page(request, row),
            "opts": self.opts,
            "title": gettext("Review and sign") if is_open else gettext("Visit of %(day)s") % {"day": day(row.started_at)},
            "original": row,
            "is_signed": row.status in SIGNED,
            "may_see_history": can_open(request.user, AuditPermission.AUDIT_VIEW),
            "sees_notes": can_open(request.user, Permission.CONSULTATION_SEE_NOTES),
        }
        if not context["sees_notes"]:
            return TemplateResponse(request, "desk/visit/codes.html", context | {"codes": page_context.codes(consultation)})
        context |= self._whole(request, consultation) | (extra_context or {})
        return TemplateResponse(request, "desk/visit/review.html" if is_open else "desk/visit/signed.html", context)

    def _whole(self, request: HttpRequest, consultation: selectors.ConsultationDetails) -> dict[str, Any]:
        """Returns the narrative and the available actions, for users who may read it."""
        signers = accounts.colleagues(
            visible_to=cast("Actor", request.user), ids={one.signed_by_id for one in consultation.addenda if one.signed_by_id}
        )
        by_id = {one.pk: one.full_name for one in signers}
        actions = self.available_row_actions(request, consultation.row)
        sign_url = reverse(f"admin:{self.row_action_url_name(SIGN)}", args=[consultation.row.pk])
        return {
            **page_context.frame(request, consultation, Step.REVIEW_SIGN),
            **page_context.guidance(consultation, request.POST),
            "row_actions": [one for one in actions if one["url"] != sign_url],
            "sign_url": sign_url if any(one["url"] == sign_url for one in actions) else "",
            "ready_url": next((one["url"] for one in actions if one["url"].endswith("/ready/")), ""),
            "sign_question": SIGN.question,
            "sign_form": SignForm(),
            "answers": True,
            "content": page_context.content(request, consultation),
            "version": consultation.row.version,
            "missing": page_context.missing(consultation),
            "unplaced": notices.of_consultation(consultation),
            "addenda": [(one, by_id[one.signed_by_id] if one.signed_by_id in by_id else "") for one in consultation.addenda],  # noqa: SIM401  # an id may be None
            "history": page_context.history(consultation),
        }

    # Row actions

    def row_action_form(self, request: HttpRequest, row: Consultation, action: RowAction) -> forms.Form:
        form = super().row_action_form(request, row, action)
        if action is HAND_OVER:
            doctors = accounts.doctors(visible_to=cast("Actor", request.user)).exclude(pk=row.doctor_id)
            offered = [(str(one.pk), str(one.user)) for one in doctors]
            cast("forms.ChoiceField", form.fields["doctor_id"]).choices = [("", gettext("Choose a doctor")), *offered]
        return form

    def _ask(self, request: HttpRequest, row: Consultation, action: RowAction, form: forms.Form) -> TemplateResponse:
        page = super()._ask(request, row, action, form)
        if action is SIGN:
            consultation = selectors.consultation(cast("Actor", request.user), row.pk)  # as it is after a refusal
            page.template_name = "desk/visit/sign.html"
            context = {
                **page_context.guidance(consultation, request.POST),
                "content": page_context.content(request, consultation),
                "version": consultation.row.version,
                "missing": page_context.missing(consultation),
                "answers": True,
                "unplaced": notices.of_consultation(consultation),
            }
            cast("dict[str, Any]", page.context_data).update(context)
        return page

    # Columns

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, row: Consultation) -> Any:
        return row.started_at

    @admin.display(description=_("patient"))
    def who(self, row: Consultation) -> str:
        name = isolated(filed_name(row.patient.last_name, row.patient.first_name))
        return format_html(
            '<a href="{}">{}</a> {}', reverse("admin:patients_patient_change", args=[row.patient_id]), name, row.patient.mrn
        )

    @admin.display(description=_("doctor"))
    def seen_by(self, row: Consultation) -> str:
        return doctor(row.doctor)

    @admin.display(description=_("kind"))
    def kind(self, row: Consultation) -> str:
        return str(labels.KINDS[Workflow(row.workflow_type)])

    @admin.display(description=_("step"))
    def how_far(self, row: Consultation) -> str:
        words = gettext("%(step)s of %(all)s") % {"step": row.current_step + 1, "all": STEP_COUNT}
        return format_html('<span class="nowrap">{}</span>', words)

    @admin.display(description=_("status"))
    def state(self, row: Consultation) -> str:
        shown = labels.STATES[row.status]
        status = format_html('<span class="{}">{}{}</span>', f"tag {shown.tag}".rstrip(), icon(shown.icon), shown.word)
        if not getattr(row, "alert_since", None):
            return status
        return format_html(
            '{} <span class="tag bad">{}{}</span>',
            status,
            icon("warning"),
            gettext("Alert: vital signs since %(at)s") % {"at": moment(row.alert_since)},  # type: ignore[attr-defined]  # annotated
        )
