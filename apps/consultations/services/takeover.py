"""Taking over visits as they happened elsewhere: on paper while the system was down, or in another system."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from apps.access.actor import SYSTEM, Actor
from apps.common.ids import new_id
from apps.consultations import guiding, projecting, selectors, steps
from apps.consultations.adaptive import VERSION
from apps.consultations.events import ConsultationsTakenOver
from apps.consultations.models import Addendum, Consultation, Passage, StepSave, VitalAlert
from apps.consultations.rules import SIGNED, State, Status, Workflow
from apps.consultations.services import alerting
from apps.consultations.services.signing import content_sha256
from apps.consultations.steps import Step
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts
from apps.patients import vitals
from apps.patients.models import Patient


@dataclass(frozen=True, kw_only=True)
class TakenSave:
    """A step as it was written then. Diagnoses carry their names: the code table of that day need not be here."""

    step: Step
    data: Mapping[str, Any]
    at: datetime
    by_id: UUID
    displays: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TakenConsultation:
    """A visit with everything that was written; `ended_at` where it is signed, waits or was given up."""

    patient_id: UUID
    doctor_id: UUID
    started_at: datetime
    saves: Sequence[TakenSave]
    workflow_type: str = Workflow.STANDARD.value
    status: str = Status.COMPLETED.value
    ended_at: datetime | None = None
    appointment_id: UUID | None = None
    reason: str = ""
    addendum: str = ""
    id: UUID = field(default_factory=new_id)


@transaction.atomic
def take_over(*, by: Actor, visits: Sequence[TakenConsultation]) -> int:
    """Write down visits with all their steps; what was signed goes into the charts. Those that are here already are left out.

    Answers how many came in. Raises NotFound for an unknown patient, Unreadable for a step that cannot be kept.
    """
    here = set(Consultation.objects.filter(pk__in=[visit.id for visit in visits]).values_list("pk", flat=True))
    fresh = [visit for visit in visits if visit.id not in here]
    if not fresh:
        return 0
    asked = list(dict.fromkeys(one.patient_id for one in fresh))
    people = dict(zip(asked, patients.locked_survivors(by, *asked), strict=True))
    taken = [_row(visit, people[visit.patient_id]) for visit in fresh]
    Consultation.objects.bulk_create(visit.row for visit in taken)
    StepSave.objects.bulk_create(save for visit in taken for save in visit.saves.values())
    ended = [_ended(told, visit) for told, visit in zip(fresh, taken, strict=True)]
    Consultation.objects.bulk_update(
        [visit.row for visit in ended], ["status", "completed_at", "signed_by", "content_sha256", "cancelled_at", "current_step"]
    )
    Passage.objects.bulk_create(line for told, visit in zip(fresh, ended, strict=True) for line in _history(told, visit.row))
    _alerts(ended)
    _chart(by, ended, {person.pk: person for person in people.values()}, _added(fresh))
    emit(ConsultationsTakenOver(visits=len(fresh)), by=by)
    return len(fresh)


def _row(told: TakenConsultation, patient: Patient) -> selectors.Visit:
    """The visit while it was going on, with its steps."""
    adaptive = told.workflow_type == Workflow.ADAPTIVE
    row = Consultation(
        id=told.id,
        patient=patient,
        doctor_id=told.doctor_id,
        appointment_id=told.appointment_id,
        workflow_type=told.workflow_type,
        started_at=told.started_at,
        created_at=told.started_at,
        updated_at=told.ended_at or (told.saves[-1].at if told.saves else told.started_at),
        entered_by_id=told.doctor_id,
        rule_version=VERSION if adaptive else "",
        version=1 + len(told.saves),
    )
    saves = {save.step: _save(row, save) for save in told.saves}
    row.guidance = guiding.guidance(row, patient, saves)
    visit = selectors.put_together(row, saves, {})
    row.current_step = visit.progress.current
    return visit


def _save(row: Consultation, told: TakenSave) -> StepSave:
    data = steps.merged(told.step, {}, steps.read(told.step, told.data))
    return StepSave(
        consultation=row,
        number=told.step,
        version=1,
        state=(State.COMPLETED if _is_whole(told.step, data) else State.IN_PROGRESS).value,
        data=data,
        parsed=_parsed(told, data),
        saved_at=told.at,
        saved_by_id=told.by_id,
    )


def _is_whole(step: Step, data: Mapping[str, Any]) -> bool:
    return not steps.lacking(step, data) and not steps.is_unanswered(step, data)


def _parsed(told: TakenSave, data: Mapping[str, Any]) -> dict[str, Any]:
    if told.step is Step.VITALS:
        return vitals.measured(data)
    if told.step is not Step.ASSESSMENT:
        return {}
    coded = [
        {"code": one["code"], "display": told.displays[one["code"]], "primary": place == 0}
        for place, one in enumerate(data["diagnoses"])
    ]
    return {"diagnoses": coded}


def _ended(told: TakenConsultation, visit: selectors.Visit) -> selectors.Visit:
    """The visit as it is now."""
    row = visit.row
    row.status = told.status
    if told.status in SIGNED:
        row.status = Status.AMENDED.value if told.addendum else Status.COMPLETED.value
        row.completed_at, row.signed_by_id, row.current_step = told.ended_at, told.doctor_id, int(Step.REVIEW_SIGN)
        row.content_sha256 = content_sha256(row.pk, visit.saves.values())
    elif told.status == Status.CANCELLED:
        row.cancelled_at = told.ended_at
    return selectors.put_together(row, visit.saves, {})


def _history(told: TakenConsultation, row: Consultation) -> Iterator[Passage]:
    line = {"consultation": row, "to_doctor_id": row.doctor_id, "by_id": row.doctor_id}
    yield Passage(to_status=Status.IN_PROGRESS.value, at=told.started_at, **line)
    if told.ended_at:
        here = Status.COMPLETED.value if told.status in SIGNED else told.status
        yield Passage(from_status=Status.IN_PROGRESS.value, to_status=here, at=told.ended_at, reason=told.reason, **line)
        if told.addendum:
            yield Passage(from_status=here, to_status=Status.AMENDED.value, at=told.ended_at, **line)


def _alerts(visits: Sequence[selectors.Visit]) -> None:
    """The urgent alerts of visits that go on, with the marks in the queue. Nobody is told: the visits happened elsewhere."""
    for visit in visits:
        save = visit.saves.get(Step.VITALS)
        if save is None or not visit.urgent_alerts:
            continue
        VitalAlert.objects.bulk_create(alerting.history(visit.row, visit.urgent_alerts, save.saved_at, save.saved_by_id))
        if save.saved_by_id != visit.row.doctor_id:
            alerting.mark_queue(SYSTEM, visit, raised_at=save.saved_at)


def _chart(by: Actor, visits: Sequence[selectors.Visit], people: Mapping[UUID, Patient], added: Mapping[UUID, Addendum]) -> None:
    """What was signed goes into the charts; whoever was seen has the doctor on the care team."""
    of_patient: dict[UUID, list[selectors.Visit]] = defaultdict(list)
    for visit in visits:
        of_patient[visit.row.patient_id].append(visit)
    for patient_id, theirs in of_patient.items():
        entries = [entry for visit in theirs if visit.row.status in SIGNED for entry in projecting.entries(visit)]
        entries += [projecting.addendum(visit.row, added[visit.row.pk]) for visit in theirs if visit.row.pk in added]
        charts.record_all(by=by, patient_id=patient_id, entries=entries, source=projecting.SOURCE)
        for doctor_id in {visit.row.doctor_id for visit in theirs}:
            charts.join_care_team(by=by, patient=people[patient_id], doctor_id=doctor_id)


def _added(visits: Sequence[TakenConsultation]) -> dict[UUID, Addendum]:
    """Addenda, behind the signatures, by their visits."""
    rows = Addendum.objects.bulk_create(
        Addendum(
            id=uuid5(one.id, "addendum"),  # taken over again, it is the same one
            consultation_id=one.id,
            text=one.addendum,
            signed_at=one.ended_at or one.started_at,
            signed_by_id=one.doctor_id,
        )
        for one in visits
        if one.addendum
    )
    return {row.consultation_id: row for row in rows}
