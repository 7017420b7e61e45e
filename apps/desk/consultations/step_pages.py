"""The page of one section. Its form is saved through a service; if a colleague saved in the meantime, it shows both versions."""

from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.common.errors import Forbidden, HimsError
from apps.consultations import rules, selectors, services
from apps.consultations.models import Consultation, StepSave
from apps.consultations.rights import Permission
from apps.consultations.rules import State, Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import NewSave, StepChanged
from apps.consultations.steps import notices, ports
from apps.consultations.steps.definitions import SCHEMAS, Step
from apps.consultations.steps.fields import merged
from apps.desk.appointments.labels import doctor
from apps.desk.consultations import autosave, diagnosis_search, labels, page_context, visit_rail, vital_boxes
from apps.desk.consultations.step_forms import ALERT, CONFIRMED, NOTHING, StepForm, acknowledged, add_errors
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.site import can_open
from apps.patients.chart import vitals
from apps.patients.chart.dates import partial
from apps.patients.chart.page_dates import date_text

_REVIEWED = {"allergies_reviewed": True, "medications_reviewed": True, "problems_reviewed": True}


class StepPages(HimsModelAdmin[Consultation]):
    """The part of the consultation pages that reads and saves a section."""

    def step_urls(self) -> list[URLPattern]:
        """Returns the routes: one page for each section, below the consultation's own, and the one that opens the next."""
        wrap, name = self.admin_site.admin_view, "consultations_consultation"
        return [
            path("<uuid:object_id>/step/<int:number>/", wrap(self.step_view), name=f"{name}_step"),
            path("<uuid:object_id>/go-on/", wrap(self.go_on_view), name=f"{name}_go_on"),
        ]

    def go_on_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Opens the section at which the user goes on: for a nurse the vitals come before the overview."""
        if not can_open(request.user, Permission.CONSULTATION_SEE_NOTES):
            raise PermissionDenied
        consultation = selectors.consultation(cast("Actor", request.user), object_id)
        mine = page_context.sections_of(request.user, consultation.row)
        is_nurse = page_context.may_mark_ready(request.user, consultation.row)
        return HttpResponseRedirect(
            visit_rail.step_url(consultation.row, visit_rail.open_section(consultation, mine, measures_first=is_nurse))
        )

    def step_view(self, request: HttpRequest, object_id: Any, number: int) -> HttpResponse:
        """Shows the section, or saves it."""
        if not can_open(request.user, Permission.CONSULTATION_SEE_NOTES):
            raise PermissionDenied
        if number not in range(int(Step.REVIEW_SIGN)):
            raise Http404
        by, step = cast("Actor", request.user), Step(number)
        consultation = selectors.consultation(by, object_id)
        save = consultation.saves.get(step)
        if request.method != "POST":
            return self._page(request, consultation, step, self._stored(step, save).focused())
        form = self._sent(request, consultation, step)
        if "_auto" in request.POST:
            return autosave.reply(request, consultation, form)
        if diagnosis_search.is_search(request) or not form.is_valid():
            return self._page(request, consultation, step, form)
        return self._saved(request, consultation, step, form)

    def _stored(self, step: Step, save: StepSave | None) -> StepForm:
        """Returns the form with what is saved."""
        is_done = save is not None and save.state == State.COMPLETED
        return StepForm(step, save.data if save else {}, save.version if save else 0, is_done=is_done)

    def _sent(self, request: HttpRequest, consultation: ConsultationDetails, step: Step) -> StepForm:
        """Returns the submitted form, based on the version of the step that the user saw. A button may add to it: a chosen code
        goes into the first free row, a chosen unit into its box."""
        sent = request.POST.copy()
        version = int(sent.get("version", "")) if sent.get("version", "").isdecimal() else 0
        seen = selectors.saves_of(consultation.row, step).filter(version=min(version, 2**31 - 1)).first()
        base, version = (seen.data, seen.version) if seen else ({}, 0)  # a version that never existed: the user has seen nothing
        sent["version"] = str(version)
        unit, _, word = sent.get("_unit", "").partition("=")
        if step is Step.VITALS and unit in vitals.UNIT_FIELDS:
            sent[unit] = word
        if "_confirm" in sent:
            sent[CONFIRMED] = "on"
        if "_match" in sent and step is Step.PATIENT_OVERVIEW:
            sent["identity_confirmed"] = "on"
        if "_still" in sent and step is Step.HISTORY_REVIEW:
            sent.update(dict.fromkeys(_REVIEWED, "on"))
        form = StepForm(step, base, version, sent)
        if chosen := sent.get("_add", ""):
            free = (name for name in form.fields if name.endswith("_code") and not sent.get(name, "").strip())
            sent[next(free, "")] = chosen
            form = StepForm(step, base, version, sent)
        return form

    def _saved(self, request: HttpRequest, consultation: ConsultationDetails, step: Step, form: StepForm) -> HttpResponse:
        """Saves the form. A section without an entry is not completed unless the user ticks that there is nothing to note; the
        API leaves that to its caller."""
        by, row = cast("Actor", request.user), consultation.row
        given, is_open = acknowledged(request.POST), form.is_empty and not form.cleaned_data.get(NOTHING)
        try:
            if not is_open or given or step in consultation.saves:
                save = NewSave(
                    step=step,
                    data=form.step_data(),
                    completed=False if is_open else _completes(request, consultation, step),
                    version=form.cleaned_data["version"],
                    acknowledged=given,
                )
                consultation = services.save_step(by=by, consultation_id=row.pk, save=save)
                self._add_message(request, consultation, step)
            elif row.status == Status.IN_PROGRESS and not page_context.may_save(by, row, step):
                raise PermissionDenied
            elif not {"_still", "_ready"} & set(request.POST):
                text = gettext("%(section)s: nothing was entered, so it stays to do.")
                messages.warning(request, text % {"section": labels.step(step)})
        except Forbidden:
            raise
        except StepChanged:
            return self._conflict_page(request, consultation, step, form)
        except HimsError as refusal:
            add_errors(form, refusal)
            return self._page(request, consultation, step, form, refused=refusal.details.get("alerts", ()))
        try:
            consultation = self._also(request, consultation, step)
        except Forbidden:
            raise
        except HimsError as refusal:  # the section itself is saved: its page shows the new version
            messages.error(request, refusal.message)
            return HttpResponseRedirect(visit_rail.step_url(row, step))
        return HttpResponseRedirect(self._following(request, consultation, step))

    def _also(self, request: HttpRequest, consultation: ConsultationDetails, step: Step) -> ConsultationDetails:
        """Does what the pressed button does besides saving the section."""
        by, row = cast("Actor", request.user), consultation.row
        is_still_correct = "_still" in request.POST or request.POST.get("_match") == "all"
        if is_still_correct and step is not Step.HISTORY_REVIEW:
            consultation = services.save_step(
                by=by, consultation_id=row.pk, save=NewSave(step=Step.HISTORY_REVIEW, data=_REVIEWED)
            )
            self._add_message(request, consultation, Step.HISTORY_REVIEW)
        if "_ready" in request.POST:
            consultation = services.ready(by=by, consultation_id=row.pk)
            names = {"patient": row.patient.filed_name, "doctor": doctor(row.doctor)}
            messages.success(request, gettext("%(patient)s is ready for %(doctor)s.") % names)
        return consultation

    def _following(self, request: HttpRequest, consultation: ConsultationDetails, step: Step) -> str:
        """Returns the page after a save: this section again, the user's home, or the next section of the fixed order."""
        if "_ready" in request.POST:
            return reverse("admin:index")
        if {"_add", "_draft", "_ack"} & set(request.POST) or ("_still" in request.POST and step is not Step.HISTORY_REVIEW):
            return visit_rail.step_url(consultation.row, step)
        mine = page_context.sections_of(request.user, consultation.row)
        return visit_rail.step_url(consultation.row, visit_rail.next_section(consultation, step, mine))

    def _add_message(self, request: HttpRequest, after: ConsultationDetails, step: Step) -> None:
        """Shows the success message, or an error for what the save did not do."""
        name = {"section": labels.step(step)}
        if notice := notices.of_save(after.saves.get(step)):
            messages.error(request, gettext("%(section)s: the text is saved.") % name + f" {notice.message}")
        elif step is Step.ASSESSMENT and after.unusual_diagnoses:
            reasons = " ".join(reason for _, reason in after.unusual_diagnoses)
            messages.warning(request, gettext("%(section)s: saved.") % name + f" {reasons}")
        elif after.saves[step].state == State.IN_PROGRESS:
            messages.warning(request, gettext("%(section)s: saved as a draft.") % name)
        else:
            messages.success(request, gettext("%(section)s: saved.") % name)

    def _conflict_page(self, request: HttpRequest, consultation: ConsultationDetails, step: Step, form: StepForm) -> HttpResponse:
        """Shows the changes of another user. Fields that only they changed are merged; for the others the form shows this user's
        value and, next to it, theirs."""
        consultation = selectors.consultation(cast("Actor", request.user), consultation.row.pk)
        stored, base, mine = consultation.saves[step], form.stored, merged(form.stored, form.step_data())
        combined = {}
        for name in SCHEMAS[step]:
            ours, theirs = mine.get(name), stored.data.get(name)
            combined[name] = theirs if ours == base.get(name) else ours
        rows = [
            {"label": labels.label(name), "mine": labels.value(mine.get(name)), "theirs": labels.value(stored.data.get(name))}
            for name in SCHEMAS[step]
            if mine.get(name) != stored.data.get(name)
        ]
        who = page_context.names(request, {step: stored}).get(stored.saved_by_id, gettext("another user"))
        fresh = StepForm(
            step, stored.data, stored.version, shown={name: value for name, value in combined.items() if value is not None}
        )
        return self._page(
            request, consultation, step, fresh, clash={"who": who, "at": clinic_times.clock_time(stored.saved_at), "rows": rows}
        )

    def _page(
        self,
        request: HttpRequest,
        consultation: ConsultationDetails,
        step: Step,
        form: StepForm,
        *,
        clash: Any = None,
        refused: Any = (),
    ) -> TemplateResponse:
        row = consultation.row
        self.record_access(request, "read", row, step=int(step))
        by = request.user
        frame = page_context.frame(request, consultation, step)
        context = {
            **self.admin_site.each_context(request),
            **frame,
            **page_context.guidance(consultation, request.POST, step),
            **_saved_content(step, consultation.saves.get(step)),
            "opts": self.opts,
            "title": labels.step(step),
            "original": row,
            "form": form,
            "errors": form.errors,
            "clash": clash,
            "refused": _refused(request, consultation, step, refused),
            "progress": next(one for one in consultation.progress.steps if one.step is step),
            "may_save": page_context.may_save(by, row, step),
            "why_not": _why_not(by, consultation, step),
            "typed": _typed(request, form),
            "prefill": _prefill(consultation, step),
            "is_overview": step is Step.PATIENT_OVERVIEW,
            "is_history": step is Step.HISTORY_REVIEW,
            "search": diagnosis_search.matching(request, row) if step is Step.ASSESSMENT else None,
            "may_confirm_facts": _may_confirm(consultation, frame, step),
            "may_match_all": _may_confirm(consultation, frame, step, completes=True),
        }
        if step is Step.VITALS:
            context |= _measures(request, consultation, form)
        return TemplateResponse(request, "desk/visit/section.html", context)


def _saved_content(step: Step, save: StepSave | None) -> dict[str, Any]:
    """Returns what the page shows of the latest save."""
    return {
        "save": save,
        "lines": page_context.step_lines(save) if save else [],
        "coded": save.parsed.get("diagnoses", []) if save else [],
        "unplaced": notices.of_step(step) or notices.of_save(save),
        "is_done": save is not None and save.state == State.COMPLETED,
        "is_draft": save is not None and save.state == State.IN_PROGRESS,
    }


def _measures(request: HttpRequest, consultation: ConsultationDetails, form: StepForm) -> dict[str, Any]:
    """Returns what the page of the vital signs shows besides."""
    boxes = vital_boxes.boxes(request, consultation, form)
    return {
        "vitals": boxes,
        "has_bands": any(one.has_band for one in boxes),
        "units": vital_boxes.units(form),
        "limits_note": vitals.NOT_REVIEWED,
    }


def _refused(request: HttpRequest, consultation: ConsultationDetails, step: Step, alerts: Any) -> list[dict[str, str]]:
    """Returns the alerts for which a step handler refused the save, each with the reason that was sent for it; and those of an
    earlier refusal for which a reason was sent."""
    typed, ours = page_context.typed_reasons(request.POST), {alert["id"] for alert in consultation.alerts}
    shown = {str(one.get("id", "")): one.get("because", "") for one in alerts}
    if ports.handler_of(step) is not None:
        shown = {alert_id: "" for alert_id in typed if alert_id not in ours} | shown
    return [
        {"because": because, "box": f"{ALERT}{alert_id}", "typed": typed.get(alert_id, "")} for alert_id, because in shown.items()
    ]


def _may_confirm(consultation: ConsultationDetails, frame: dict[str, Any], step: Step, *, completes: bool = False) -> bool:
    """Returns whether the facts next to the section can be confirmed with one button: there are some, and the user may save the
    history after this section. With `completes` the button completes this section first."""
    facts, reached = frame["facts"], consultation.progress
    if completes:
        reached = replace(reached, missing=tuple(one for one in reached.missing if one is not step))
    if rules.blocking_step(consultation.row.workflow_type, Step.HISTORY_REVIEW, reached) is not None:
        return False
    is_open = any(one.number == Step.HISTORY_REVIEW and one.css != "done" for one in frame["rail"])
    is_mine = Step.HISTORY_REVIEW in frame["mine"] and step in frame["mine"]
    return facts is not None and facts.may_confirm and is_open and is_mine and step is not Step.HISTORY_REVIEW


def _completes(request: HttpRequest, consultation: ConsultationDetails, step: Step) -> bool | None:
    """Returns what the save says about the section: None completes it if nothing is missing. Only *Save and go on* completes one
    that was not; other buttons keep its state."""
    if "_draft" in request.POST:
        return False
    stays = "_ack" in request.POST or ("_still" in request.POST and step is not Step.HISTORY_REVIEW)
    save = consultation.saves.get(step)
    return False if stays and not (save and save.state == State.COMPLETED) else None


def _typed(request: HttpRequest, form: StepForm) -> list[tuple[str, str]]:
    """Returns the submitted values as text, to be copied if they can no longer be saved."""
    form.errors  # noqa: B018  # fills `cleaned_data`
    reasons = page_context.typed_reasons(request.POST).values()
    overriding = [(gettext("Reason for overriding this alert"), reason) for reason in reasons]
    return [*labels.lines(form.step_data()), *overriding] if form.is_bound else []


def _prefill(consultation: ConsultationDetails, step: Step) -> list[tuple[str, list[dict[str, Any]]]]:
    """Returns the chart entries to confirm, with the dates since when they apply in words."""
    offered = consultation.row.guidance.get("prefill", {}).get(step.wire_name, {})
    return [
        (labels.label(name), [entry | {"since": date_text(partial(entry["since"]))} for entry in entries])
        for name, entries in offered.items()
    ]


def _why_not(user: Any, consultation: ConsultationDetails, step: Step) -> str:
    """Returns why the section is read-only."""
    row = consultation.row
    if page_context.may_save(user, row, step):
        return ""
    if row.status != Status.IN_PROGRESS:
        return gettext("The visit is %(status)s: its sections are read-only.") % {"status": labels.status(row.status)}
    if not page_context.may_act(user, row):
        return gettext("This visit belongs to another doctor; it must be handed over first.")
    return gettext("Your role can save only Overview, Vitals, Symptoms and History.")
