"""What the pages of a consultation show: the steps, what was saved, prompts and alerts, what is missing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.common import clinic_times, clock
from apps.common.errors import Forbidden
from apps.consultations import selectors
from apps.consultations.models import LIVE, Consultation, StepSave
from apps.consultations.rights import Permission
from apps.consultations.rules import Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services.locking import check_owner
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import NURSE_STEPS, Step
from apps.desk.appointments.labels import doctor
from apps.desk.consultations import labels, visit_facts, visit_rail
from apps.desk.consultations.step_forms import ALERT, acknowledged
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


def sections_of(user: Any, row: Consultation) -> frozenset[Step]:
    """Returns the sections that the user may save now."""
    return frozenset(step for step in Step if may_save(user, row, step))


def page(request: HttpRequest, row: Consultation) -> dict[str, Any]:
    """Returns the values for every page of a consultation."""
    reader = cast("Actor", request.user)
    return {
        "banner": banner.of(row.patient, reader),
        "may_read_chart": can_open(request.user, PatientPermission.CHART_VIEW),
        "visit_url": reverse(f"{_PAGE}change", args=[row.pk]),
        "status": labels.status(row.status),
        "may_answer": can_open(request.user, Permission.CONSULTATION_STEP_ANY) and may_act(request.user, row),
        "doctor": doctor(row.doctor),
        "started": _moment(row.started_at),
        "is_rail": True,  # the menu is narrow next to the sections
    }


def frame(request: HttpRequest, consultation: ConsultationDetails, here: Step) -> dict[str, Any]:
    """Returns the values for the layout of the visit: the rail, the facts next to it, alerts, the patient's other open visits."""
    row, by = consultation.row, cast("Actor", request.user)
    mine = sections_of(request.user, row)
    others = selectors.other_live(by, row) if row.status in LIVE else []
    return {
        **page(request, row),
        "rail": visit_rail.entries(consultation, here, mine=mine, people=names(request, consultation.saves)),
        "here": here,
        "mine": mine,
        "facts": visit_facts.facts(request, row),
        **urgent(consultation, here, request.POST),
        "other_visits": links(others),
        "may_mark_ready": may_mark_ready(request.user, row),
    }


def links(visits: Sequence[Consultation]) -> list[dict[str, Any]]:
    """Returns what the warning about open visits shows of each."""
    return [
        {"url": reverse(f"{_PAGE}change", args=[one.pk]), "doctor": doctor(one.doctor), "at": one.started_at} for one in visits
    ]


def urgent(consultation: ConsultationDetails, here: Step, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the urgent alerts of other sections, which each page shows until a doctor has acknowledged them, with the reasons
    that were sent with a form."""
    typed = typed_reasons(sent)
    elsewhere = [_with_box(alert, typed) for alert in consultation.urgent_alerts if not _is_at(alert, here)]
    return {"urgent": elsewhere, "rules_note": consultation.row.guidance.get("note", "")}


def may_mark_ready(user: Any, row: Consultation) -> bool:
    """Returns whether the user may mark the visit as ready for its doctor now."""
    may_hand_over = can_open(user, Permission.CONSULTATION_READY) and row.doctor_id != user.pk
    return may_hand_over and row.status == Status.IN_PROGRESS and not row.ready_at


def _moment(at: datetime) -> str:
    """Returns the time, with the day if it is not today."""
    time = clinic_times.clock_time(at)
    return time if clinic_times.local(at).date() == clock.today() else f"{clinic_times.day(at)}, {time}"


def typed_reasons(sent: Mapping[str, Any]) -> dict[str, str]:
    """Returns the reasons for overriding alerts that were sent with a form, by alert, so that a refused form keeps them."""
    return {one.id: one.reason for one in acknowledged(sent)}


def _with_box(alert: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    return {**alert, "box": ALERT + alert["id"], "typed": typed.get(alert["id"], "")}


def _is_at(alert: Mapping[str, Any], here: Step) -> bool:
    """Returns whether the page shows the alert among those of its section; the review shows the alerts of all."""
    return here in (alert["step"], Step.REVIEW_SIGN)


def guidance(consultation: ConsultationDetails, sent: Mapping[str, Any], step: Step | None = None) -> dict[str, Any]:
    """Returns the prompts and alerts of one step, or of all, and the note about the rules; the alerts with the reasons that were
    sent with a form."""
    guidance, typed = consultation.row.guidance, typed_reasons(sent)
    prompts = [line for line in guidance.get("prompts", []) if step is None or line["step"] == step]
    alerts = [
        _with_box(line, typed) | {"answer": consultation.acknowledged.get(line["id"])}
        for line in consultation.alerts
        if step is None or line["step"] == step
    ]
    return {
        "prompts": prompts,
        "alerts": alerts,
        "rules_note": guidance.get("note", ""),
        "rule_version": consultation.row.rule_version,
    }


def content(request: HttpRequest, consultation: ConsultationDetails) -> list[dict[str, Any]]:
    """Returns what was saved, step by step, with the user who saved it."""
    people = names(request, consultation.saves)
    return [
        {
            "name": labels.step(step),
            "url": visit_rail.step_url(consultation.row, step),
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
    return {one.pk: one.full_name for one in accounts.colleagues(visible_to=cast("Actor", request.user), ids=ids)}


def missing(consultation: ConsultationDetails) -> list[dict[str, Any]]:
    """Returns the required steps that are not completed."""
    reasons = {one.step: one.reason for one in consultation.progress.steps}
    return [
        {
            "name": labels.step(step),
            "number": int(step),
            "url": visit_rail.step_url(consultation.row, step),
            "reason": reasons[step],
        }
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
            "to": labels.status(one.to_status),
            "by": one.by.full_name if one.by else gettext("the system"),
            "reason": one.reason,
            "doctor": doctor(one.to_doctor),
        }
        for one in selectors.status_changes(consultation.row)
    ]
