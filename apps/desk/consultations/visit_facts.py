"""The facts next to a visit: allergies, medicines, problems and the last plan, as far as the reader may read the chart."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from apps.access.actor import Actor
from apps.consultations import selectors as consultations
from apps.consultations.models import Consultation
from apps.consultations.selectors import Plan
from apps.desk.kit.site import can_open
from apps.patients import rights
from apps.patients import selectors as patients
from apps.patients.chart.entry_types import ACTIVE, NO_KNOWN_ALLERGY, EntryType
from apps.patients.models import AllergyStatus
from apps.patients.rights import Permission

_KINDS = (EntryType.ALLERGY, EntryType.MEDICATION, EntryType.DIAGNOSIS)
_SHOWN = 12  # of each kind; the record has the others


@dataclass(frozen=True)
class Facts:
    """What the chart says, by kind, each with how many more there are. `allergy_status` is one of three states."""

    allergy_status: str
    allergies: list[str]
    medicines: list[str]
    problems: list[str]
    more: dict[str, int]
    plan: Plan | None
    add_allergy_url: str
    may_confirm: bool  # there is something recorded that can still be correct


def facts(request: HttpRequest, row: Consultation) -> Facts | None:
    """Returns the facts; None for a reader who may not read the chart. Two queries."""
    if not can_open(request.user, Permission.CHART_VIEW):
        return None
    by = cast("Actor", request.user)
    listed = patients.chart(visible_to=by, patient_id=row.patient_id, type__in=_KINDS, status=ACTIVE).not_in_error()
    names: dict[str, dict[str, None]] = {kind: {} for kind in _KINDS}
    for kind, system, code, display in listed.values_list("type", "code_system", "code", "display"):
        if (system, code) != NO_KNOWN_ALLERGY[:2]:
            names[kind][display] = None  # each once, in the chart's order
    allergies, medicines, problems = (list(names[kind]) for kind in _KINDS)
    return Facts(
        allergy_status=row.patient.allergy_status,
        allergies=allergies[:_SHOWN],
        medicines=medicines[:_SHOWN],
        problems=problems[:_SHOWN],
        more={"medicines": max(len(medicines) - _SHOWN, 0), "problems": max(len(problems) - _SHOWN, 0)},
        plan=consultations.last_plan(by, row.patient_id, before=row.started_at),
        add_allergy_url=_add_url(request.user, row.patient_id),
        may_confirm=row.patient.allergy_status != AllergyStatus.NOT_ASKED,
    )


def _add_url(user: Any, patient_id: UUID) -> str:
    if not rights.writes_chart(user, EntryType.ALLERGY):
        return ""
    return f"{reverse('admin:patients_chartentry_add')}?patient={patient_id}&type={EntryType.ALLERGY}"
