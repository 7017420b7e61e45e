"""The page of one step. Its form is saved through the service; if another user saved in the meantime, it shows both versions."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.common.errors import Forbidden, HimsError
from apps.consultations import selectors, services
from apps.consultations.models import Consultation
from apps.consultations.rights import Permission
from apps.consultations.rules import State, Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import NewSave, StepChanged
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import SCHEMAS, Step
from apps.consultations.steps.fields import merged
from apps.desk.consultations import labels, page_context
from apps.desk.consultations.step_forms import ALERT, NOTHING, StepForm, acknowledged, add_errors
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.site import can_open
from apps.patients.chart import measurements, vitals
from apps.terminology import selectors as terminology

_MAX_RESULTS = 15
_QUERY_MAX = 100


class StepPages(HimsModelAdmin[Consultation]):
    """The part of the consultation pages that reads and saves a step."""

    def step_urls(self) -> list[URLPattern]:
        """Returns the routes: one page for each step, below the consultation's own."""
        view = self.admin_site.admin_view(self.step_view)
        return [path("<uuid:object_id>/step/<int:number>/", view, name="consultations_consultation_step")]

    def step_view(self, request: HttpRequest, object_id: Any, number: int) -> HttpResponse:
        """Shows the step, or saves it."""
        if not can_open(request.user, Permission.CONSULTATION_SEE_NOTES):
            raise PermissionDenied
        if number not in range(int(Step.REVIEW_SIGN)):
            raise Http404
        by, step = cast("Actor", request.user), Step(number)
        consultation = selectors.consultation(by, object_id)
        save = consultation.saves.get(step)
        stored, version = (save.data, save.version) if save else ({}, 0)
        if request.method != "POST":
            is_done = save is not None and save.state == State.COMPLETED
            return self._page(request, consultation, step, StepForm(step, stored, version, is_done=is_done))
        form = self._sent(request, consultation, step)
        if _is_search(request) or not form.is_valid():
            return self._page(request, consultation, step, form)
        return self._saved(request, consultation, step, form)

    def _sent(self, request: HttpRequest, consultation: ConsultationDetails, step: Step) -> StepForm:
        """Returns the submitted form, based on the version of the step that the user saw. A chosen code goes into the first free
        row."""
        sent = request.POST.copy()
        version = int(sent.get("version", "")) if sent.get("version", "").isdecimal() else 0
        seen = selectors.saves_of(consultation.row, step).filter(version=min(version, 2**31 - 1)).first()
        base, version = (seen.data, seen.version) if seen else ({}, 0)  # a version that never existed: the user has seen nothing
        sent["version"] = str(version)
        form = StepForm(step, base, version, sent)
        if chosen := sent.get("_add", ""):
            free = (name for name in form.fields if name.endswith("_code") and not sent.get(name, "").strip())
            sent[next(free, "")] = chosen
            form = StepForm(step, base, version, sent)
        return form

    def _saved(self, request: HttpRequest, consultation: ConsultationDetails, step: Step, form: StepForm) -> HttpResponse:
        """Saves the form. A step without an entry is not completed unless the user ticks that there is nothing to note; the API
        leaves that to its caller."""
        answers, is_draft = acknowledged(request.POST), "_draft" in request.POST
        is_open = form.is_empty and not form.cleaned_data.get(NOTHING)
        if is_open and not (is_draft or answers or step in consultation.saves):
            messages.warning(request, _("%(step)s: nothing was entered, so the step is not done.") % {"step": labels.step(step)})
            return HttpResponseRedirect(page_context.step_url(consultation.row, _following(consultation, step)))
        save = NewSave(
            step=step,
            data=form.step_data(),
            completed=False if is_draft or is_open else None,
            version=form.cleaned_data["version"],
            acknowledged=answers,
        )
        try:
            after = services.save_step(by=cast("Actor", request.user), consultation_id=consultation.row.pk, save=save)
        except Forbidden:
            raise
        except StepChanged:
            return self._conflict_page(request, consultation, step, form)
        except HimsError as refusal:
            add_errors(form, refusal)
            return self._page(request, consultation, step, form, refused=refusal.details.get("alerts", ()))
        self._add_message(request, after, step)
        stays = "_add" in request.POST or "_draft" in request.POST
        following = step if stays else _following(after, step)
        return HttpResponseRedirect(page_context.step_url(consultation.row, following))

    def _add_message(self, request: HttpRequest, after: ConsultationDetails, step: Step) -> None:
        """Shows the success message, or an error for what the save did not do."""
        if notice := notices.of_save(after.saves.get(step)):
            messages.error(request, f"{labels.step(step)}: the text is saved. {notice.message}")
        elif step is Step.ASSESSMENT and after.unusual_diagnoses:
            reasons = " ".join(reason for _, reason in after.unusual_diagnoses)
            messages.warning(request, f"{labels.step(step)}: saved. {reasons}")
        elif after.saves[step].state == State.IN_PROGRESS:
            messages.warning(request, f"{labels.step(step)}: saved as a draft.")
        else:
            messages.success(request, f"{labels.step(step)}: saved.")

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
        who = page_context.names(request, {step: stored}).get(stored.saved_by_id, "another user")
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
        refused: Any = (),
        clash: Any = None,
    ) -> HttpResponse:
        row, save = consultation.row, consultation.saves.get(step)
        by = cast("Actor", request.user)
        self.record_access(request, "read", row, step=int(step))
        (step_state,) = [one for one in consultation.progress.steps if one.step is step]
        context = {
            **self.admin_site.each_context(request),
            **page_context.page(request, row),
            **page_context.guidance(consultation, step),
            **page_context.urgent(consultation),
            "opts": self.opts,
            "title": f"{int(step)} {labels.step(step)}",
            "step_page": True,
            "original": row,
            "visit": consultation,
            "steps": page_context.stepper(consultation, step),
            "how": step_state,
            "form": form,
            "errors": form.errors,
            "clash": clash,
            "refused": [
                {"id": one.get("id", ""), "because": one.get("because", ""), "box": f"{ALERT}{one.get('id', '')}"}
                for one in refused
            ],
            "may_save": page_context.may_save(request.user, row, step),
            "why_not": _why_not(request.user, consultation, step),
            "lines": page_context.step_lines(save) if save else [],
            "typed": _typed(form),
            "save": save,
            "who": page_context.names(request, {step: save}).get(save.saved_by_id, "") if save else "",
            "vitals": self._vitals(by, consultation, form) if step is Step.VITALS else None,
            "limits_note": vitals.NOT_REVIEWED,
            "prefill": _prefill(consultation, step),
            "search": self._search(request, consultation) if step is Step.ASSESSMENT else None,
            "coded": save.parsed.get("diagnoses", []) if save else [],
            "unplaced": notices.of_step(step) or notices.of_save(save),
            "is_draft": save is not None and save.state == State.IN_PROGRESS,
        }
        return TemplateResponse(request, "admin/consultations/consultation/step.html", context)

    def _vitals(self, by: Actor, consultation: ConsultationDetails, form: StepForm) -> list[dict[str, Any]]:
        """Returns each input with its units, and the chart's newest value with its day."""
        before = measurements.last_measured(by, consultation.row.patient_id, *vitals.LOINC)
        units = {name: form[unit] for unit, name in vitals.UNIT_FIELDS.items()}
        return [
            {"box": box, "unit": labels.unit(box.name), "units": units.get(box.name), "before": _before(box.name, before)}
            for box in form.singles()
            if box.name != "confirmed_implausible" and box.name not in vitals.UNIT_FIELDS
        ]

    def _search(self, request: HttpRequest, consultation: ConsultationDetails) -> dict[str, Any]:
        """Returns the codes that match the search words and may be billed on the day of the consultation."""
        text = _words_in(request) if _is_search(request) else ""
        day = clinic_times.local(consultation.row.started_at).date()
        matches = list(terminology.search(text, on=day, billable=True)[:_MAX_RESULTS]) if text else []
        return {"text": text, "found": matches}


def _typed(form: StepForm) -> list[tuple[str, str]]:
    """Returns the submitted values as text, to be copied if they can no longer be saved."""
    form.errors  # noqa: B018  # fills `cleaned_data`
    return labels.lines(form.step_data()) if form.is_bound else []


def _words_in(request: HttpRequest) -> str:
    return request.POST.get("q", "").strip()[:_QUERY_MAX]


def _is_search(request: HttpRequest) -> bool:
    """Returns whether the user searches for codes. The Enter key sends the same button from every field: with new search words it
    means the search."""
    words_in = _words_in(request)
    by_key = "_enter" in request.POST and words_in and words_in != request.POST.get("searched", "")
    return "_search" in request.POST or bool(by_key)


def _following(after: ConsultationDetails, step: Step) -> Step:
    """Returns the next step after a save: the recommended one, else the following."""
    recommended = after.progress.recommended
    return Step(min(int(step) + 1, int(Step.REVIEW_SIGN))) if recommended is None or recommended is step else recommended


def _before(name: str, last: Mapping[str, vitals.LastMeasurement]) -> str:
    """Returns the chart's newest value with its day; a blood pressure from its two values, if both are of one day."""
    if name == "bp" and "systolic" in last:
        top, low = last["systolic"], last.get("diastolic")
        both = f"{top.value:g}/{low.value:g}" if low and low.on == top.on else f"{top.value:g}/?"
        return f"{both} ({top.on})"
    return f"{last[name].value:g} ({last[name].on})" if name in last else ""


def _prefill(consultation: ConsultationDetails, step: Step) -> list[tuple[str, list[dict[str, Any]]]]:
    """Returns the chart entries to confirm."""
    offered = consultation.row.guidance.get("prefill", {}).get(step.wire_name, {})
    return [(labels.label(name), entries) for name, entries in offered.items()]


def _why_not(user: Any, consultation: ConsultationDetails, step: Step) -> str:
    """Returns why the step is read-only."""
    row = consultation.row
    if page_context.may_save(user, row, step):
        return ""
    if row.status != Status.IN_PROGRESS:
        return f"The visit is {labels.plain(row.status)}: its steps are read-only."
    if not page_context.may_act(user, row):
        return "This visit belongs to another doctor; it must be handed over first."
    return "Your role can save only steps 0 to 3."
