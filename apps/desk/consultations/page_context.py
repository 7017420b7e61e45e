"""What the pages of a consultation show: the steps, what was saved, prompts and alerts, what is missing."""

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.common.errors import Forbidden
from apps.consultations import selectors
from apps.consultations.models import Consultation, StepSave
from apps.consultations.rights import Permission
from apps.consultations.rules import Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services.locking import check_owner
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import NURSE_STEPS, Step
from apps.desk.consultations import labels
from apps.desk.consultations.step_forms import ALERT
from apps.desk.kit.site import can_open
from apps.patients.chart import banner
from apps.patients.rights import Permission as PatientPermission

_PAGE = "admin:consultations_consultation_"


def may_act(user: Any, row: Consultation) -> bool:
    """Returns whether the user may act in this consultation."""
    try:
        check_owner(user, row)
    except Forbidden:
        return False
    return True


def may_save(user: Any, row: Consultation, step: Step) -> bool:
    """Returns whether the user may save this step now."""
    permission = Permission.CONSULTATION_STEP if step in NURSE_STEPS else Permission.CONSULTATION_STEP_ANY
    return row.status == Status.IN_PROGRESS and can_open(user, permission) and may_act(user, row) and step is not Step.REVIEW_SIGN


def step_url(row: Consultation, step: Step) -> str:
    """Returns the page on which a step is read and saved; for the last step the review."""
    if step is Step.REVIEW_SIGN:
        return reverse(f"{_PAGE}change", args=[row.pk]) + "#review"
    return reverse(f"{_PAGE}step", args=[row.pk, int(step)])


def page(request: HttpRequest, row: Consultation) -> dict[str, Any]:
    """Returns the values for every page of a consultation."""
    reader = cast("Actor", request.user)
    return {
        "banner": banner.of(row.patient, reader),
        "may_read_chart": can_open(request.user, PatientPermission.CHART_VIEW),
        "visit_url": reverse(f"{_PAGE}change", args=[row.pk]),
        "sign": labels.STATUS_SIGNS[row.status],
        "status": labels.plain(row.status),
        "may_answer": can_open(request.user, Permission.CONSULTATION_STEP_ANY),
    }


def stepper(consultation: ConsultationDetails, current: Step | None = None) -> list[dict[str, Any]]:
    """Returns the eleven steps with their states."""
    return [
        {
            "number": int(one.step),
            "name": labels.step(one.step),
            "url": step_url(consultation.row, one.step),
            "state": labels.STATES[one.state],
            "sign": labels.SIGNS[one.state],
            "unplaced": notices.of_save(consultation.saves.get(one.step)),
            "required": one.required,
            "reason": one.reason,
            "here": one.step is current,
        }
        for one in consultation.progress.steps
    ]


def guidance(consultation: ConsultationDetails, step: Step | None = None) -> dict[str, Any]:
    """Returns the prompts and alerts of one step, or of all, and the note about the rules."""
    guidance = consultation.row.guidance
    prompts = [line for line in guidance.get("prompts", []) if step is None or line["step"] == step]
    alerts = [
        line | {"answer": consultation.acknowledged.get(line["id"]), "box": ALERT + line["id"]}
        for line in consultation.alerts
        if step is None or line["step"] == step
    ]
    return {
        "prompts": prompts,
        "alerts": alerts,
        "rules_note": guidance.get("note", ""),
        "rule_version": consultation.row.rule_version,
    }


def urgent(consultation: ConsultationDetails) -> dict[str, Any]:
    """Returns the urgent alerts for the banner on every page, until a doctor has acknowledged them, and where to do that."""
    return {"urgent": consultation.urgent_alerts, "urgent_url": step_url(consultation.row, Step.VITALS)}


def content(request: HttpRequest, consultation: ConsultationDetails) -> list[dict[str, Any]]:
    """Returns what was saved, step by step, with the user who saved it."""
    people = names(request, consultation.saves)
    return [
        {
            "name": labels.step(step),
            "url": step_url(consultation.row, step),
            "lines": step_lines(save),
            "unplaced": notices.of_save(save),
            "who": people.get(save.saved_by_id, ""),
            "at": save.saved_at,
        }
        for step, save in sorted(consultation.saves.items())
        if step is not Step.REVIEW_SIGN
    ]


def step_lines(save: StepSave) -> list[tuple[str, str]]:
    """Returns a step's data as text; diagnoses with their names."""
    coded = save.parsed.get("diagnoses") if Step(save.number) is Step.ASSESSMENT else None
    if coded:
        text = "; ".join(f"{one['code']} {one['display']}{' (primary)' if one['primary'] else ''}" for one in coded)
        return [("Diagnoses", text)]
    return labels.lines(save.data)


def names(request: HttpRequest, saves: Mapping[Step, StepSave]) -> dict[Any, str]:
    """Returns the names of the users who saved the steps, by id. One query."""
    ids = {save.saved_by_id for save in saves.values() if save.saved_by_id}
    return {one.pk: str(one) for one in accounts.colleagues(visible_to=cast("Actor", request.user), ids=ids)}


def missing(consultation: ConsultationDetails) -> list[dict[str, Any]]:
    """Returns the required steps that are not completed."""
    reasons = {one.step: one.reason for one in consultation.progress.steps}
    return [
        {"name": labels.step(step), "number": int(step), "url": step_url(consultation.row, step), "reason": reasons[step]}
        for step in consultation.progress.missing
    ]


def codes(consultation: ConsultationDetails) -> list[str]:
    """Returns the codes of the diagnoses, for users who may not read the narrative."""
    save = consultation.saves.get(Step.ASSESSMENT)
    return [one["code"] + (" (primary)" if one["primary"] else "") for one in save.parsed.get("diagnoses", ())] if save else []


def history(consultation: ConsultationDetails) -> list[dict[str, Any]]:
    """Returns the status changes of the consultation."""
    return [
        {
            "at": one.at,
            "to": labels.plain(one.to_status),
            "by": one.by or "the system",
            "reason": one.reason,
            "doctor": one.to_doctor,
        }
        for one in selectors.status_changes(consultation.row)
    ]
