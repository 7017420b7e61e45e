"""The visits of a patient: the list with reasons and diagnoses, and one of them at its side."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.consultations import selectors
from apps.consultations.models import Consultation, StepSave
from apps.consultations.rights import Permission
from apps.consultations.rules import Status
from apps.consultations.steps.definitions import Step
from apps.desk.appointments import labels
from apps.desk.consultations import labels as names
from apps.desk.consultations import page_context
from apps.desk.kit.site import can_open
from apps.desk.patients import tabs
from apps.patients.models import Patient

PAGE = 20
CHOSEN = "visit"  # the parameter that names the visit at the side of the list
_FORMAL = {names.step(Step.PATIENT_OVERVIEW), names.step(Step.HISTORY_REVIEW)}  # what was confirmed, and nothing to read
_IN_LIST = (Step.SYMPTOMS, Step.ASSESSMENT)


def content(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    """Returns a page of visits and the chosen one. At most nine queries, however many visits there are."""
    by = cast("Actor", request.user)
    page = Paginator(selectors.of_patient(visible_to=by, patient_id=patient.pk), PAGE).get_page(request.GET.get("p"))
    rows = list(page.object_list)
    sees_notes = can_open(request.user, Permission.CONSULTATION_SEE_NOTES)
    chosen = _chosen(request, rows) if sees_notes else None
    saves = selectors.saves_of_all([row.pk for row in rows], _IN_LIST)
    here = tabs.carried(request, tabs.address(request.user, patient.pk, tabs.VISITS))
    return {
        "page": page,
        "here": here,
        "separator": "&" if "?" in here else "?",
        "sees_notes": sees_notes,
        "rows": [_line(row, saves[row.pk], sees_notes=sees_notes, is_chosen=row is chosen) for row in rows],
        "chosen": _details(request, chosen) if chosen else None,
    }


def complaint(saves: Mapping[Step, StepSave]) -> str:
    """Returns why the patient came."""
    return saves[Step.SYMPTOMS].data.get("chief_complaint") or "" if Step.SYMPTOMS in saves else ""


def diagnoses(saves: Mapping[Step, StepSave], *, with_names: bool = True) -> list[str]:
    """Returns the diagnoses with their codes; only the codes for readers of codes."""
    coded = saves[Step.ASSESSMENT].parsed.get("diagnoses", ()) if Step.ASSESSMENT in saves else ()
    return [f"{one['display']} {one['code']}" if with_names else one["code"] for one in coded]


def _line(row: Consultation, saves: Mapping[Step, StepSave], *, sees_notes: bool, is_chosen: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": reverse("admin:consultations_consultation_change", args=[row.pk]),
        "when": clinic_times.day(row.started_at),
        "time": clinic_times.clock_time(row.started_at),
        "reason": complaint(saves) if sees_notes else "",
        "diagnoses": " · ".join(diagnoses(saves, with_names=sees_notes)),
        "doctor": labels.doctor(row.doctor),
        "kind": labels.kind(row.appointment.appointment_type) if row.appointment else gettext("Walk-in"),
        "status": names.STATES[row.status],
        "is_chosen": is_chosen,
    }


def _chosen(request: HttpRequest, rows: list[Consultation]) -> Consultation | None:
    """Returns the visit of this page that the address names; else the latest one."""
    try:
        wanted = UUID(request.GET.get(CHOSEN, ""))
    except ValueError:
        wanted = None
    return next((row for row in rows if row.pk == wanted), rows[0] if rows else None)


def _details(request: HttpRequest, row: Consultation) -> dict[str, Any]:
    visit = selectors.details(row)
    at = [row.pk]
    may_add = row.status in (Status.COMPLETED, Status.AMENDED) and can_open(request.user, Permission.CONSULTATION_SIGN)
    add = reverse("admin:consultations_consultation_addendum", args=at) if may_add else ""
    return {
        "id": row.pk,
        "day": clinic_times.day(row.started_at),
        "doctor": labels.doctor(row.doctor),
        "url": reverse("admin:consultations_consultation_change", args=at),
        "content": [part for part in page_context.content(request, visit) if part["lines"] and part["name"] not in _FORMAL],
        "addenda": [(one.text, clinic_times.moment(one.signed_at)) for one in visit.addenda],
        "events": [
            {
                "icon": names.STATES[one.to_status].icon,
                "text": names.STATES[one.to_status].word,
                "by": one.by.full_name if one.by else "",
                "when": clinic_times.moment(one.at),
            }
            for one in reversed(selectors.status_changes(row))
        ],
        "add_url": add if page_context.may_act(request.user, row) else "",
    }
