"""Imports past consultations: from paper records of a downtime, or from another system."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from apps.access.actor import SYSTEM, Actor
from apps.common.ids import new_id
from apps.consultations import selectors
from apps.consultations.adaptive import VERSION, guidance
from apps.consultations.events import ConsultationsImported
from apps.consultations.models import Addendum, Consultation, ConsultationStatusChange, StepSave, VitalAlert
from apps.consultations.rules import SIGNED, State, Status, Workflow
from apps.consultations.services import alerting, chart_projection
from apps.consultations.services.signing import content_sha256
from apps.consultations.steps import definitions
from apps.consultations.steps.definitions import Step
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts
from apps.patients.chart import vitals
from apps.patients.models import Patient


@dataclass(frozen=True, kw_only=True)
class ImportedSave:
    """A step as it was recorded. Diagnoses contain their names, because the code table of that day need not be loaded."""

    step: Step
    data: Mapping[str, Any]
    at: datetime
    by_id: UUID
    displays: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImportedConsultation:
    """A consultation with all its steps; `ended_at` if it is signed, on hold or cancelled."""

    patient_id: UUID
    doctor_id: UUID
    started_at: datetime
    saves: Sequence[ImportedSave]
    workflow_type: str = Workflow.STANDARD.value
    status: str = Status.COMPLETED.value
    ended_at: datetime | None = None
    appointment_id: UUID | None = None
    reason: str = ""
    addendum: str = ""
    id: UUID = field(default_factory=new_id)


@transaction.atomic
def import_records(*, by: Actor, consultations: Sequence[ImportedConsultation]) -> int:
    """Inserts consultations with all their steps, and writes signed ones to the charts. Existing ones are skipped.

    Returns the number of imported consultations. Raises NotFound for an unknown patient, Unreadable for an invalid step.
    """
    existing_ids = set(
        Consultation.objects.filter(pk__in=[consultation.id for consultation in consultations]).values_list("pk", flat=True)
    )
    new = [consultation for consultation in consultations if consultation.id not in existing_ids]
    if not new:
        return 0
    patient_ids = list(dict.fromkeys(one.patient_id for one in new))
    survivors = dict(zip(patient_ids, patients.get_survivors_for_update(by, *patient_ids), strict=True))
    started = [_row(consultation, survivors[consultation.patient_id]) for consultation in new]
    Consultation.objects.bulk_create(consultation.row for consultation in started)
    StepSave.objects.bulk_create(save for consultation in started for save in consultation.saves.values())
    ended = [_with_end(imported, consultation) for imported, consultation in zip(new, started, strict=True)]
    Consultation.objects.bulk_update(
        [consultation.row for consultation in ended],
        ["status", "completed_at", "signed_by", "content_sha256", "cancelled_at", "current_step"],
    )
    ConsultationStatusChange.objects.bulk_create(
        line for imported, consultation in zip(new, ended, strict=True) for line in _history(imported, consultation.row)
    )
    _alerts(ended)
    _chart(by, ended, {person.pk: person for person in survivors.values()}, _addenda(new))
    emit(ConsultationsImported(visits=len(new)), by=by)
    return len(new)


def _row(imported: ImportedConsultation, patient: Patient) -> selectors.ConsultationDetails:
    """Returns the consultation in progress, with its steps."""
    adaptive = imported.workflow_type == Workflow.ADAPTIVE
    row = Consultation(
        id=imported.id,
        patient=patient,
        doctor_id=imported.doctor_id,
        appointment_id=imported.appointment_id,
        workflow_type=imported.workflow_type,
        started_at=imported.started_at,
        created_at=imported.started_at,
        updated_at=imported.ended_at or (imported.saves[-1].at if imported.saves else imported.started_at),
        entered_by_id=imported.doctor_id,
        rule_version=VERSION if adaptive else "",
        version=1 + len(imported.saves),
    )
    saves = {save.step: _save(row, save) for save in imported.saves}
    row.guidance = guidance.current_guidance(row, patient, saves)
    consultation = selectors.build_details(row, saves, {})
    row.current_step = consultation.progress.current
    return consultation


def _save(row: Consultation, imported: ImportedSave) -> StepSave:
    data = definitions.merged(imported.step, {}, definitions.read(imported.step, imported.data))
    return StepSave(
        consultation=row,
        number=imported.step,
        version=1,
        state=(State.COMPLETED if _is_complete(imported.step, data) else State.IN_PROGRESS).value,
        data=data,
        parsed=_parsed(imported, data),
        saved_at=imported.at,
        saved_by_id=imported.by_id,
    )


def _is_complete(step: Step, data: Mapping[str, Any]) -> bool:
    return not definitions.missing_fields(step, data) and not definitions.is_unanswered(step, data)


def _parsed(imported: ImportedSave, data: Mapping[str, Any]) -> dict[str, Any]:
    if imported.step is Step.VITALS:
        return vitals.measured(data)
    if imported.step is not Step.ASSESSMENT or not data.get("diagnoses"):
        return {}
    primary = definitions.primary_position(data["diagnoses"])
    coded = [
        {"code": one["code"], "display": imported.displays[one["code"]], "primary": position == primary}
        for position, one in enumerate(data["diagnoses"])
    ]
    return {"diagnoses": coded}


def _with_end(imported: ImportedConsultation, consultation: selectors.ConsultationDetails) -> selectors.ConsultationDetails:
    """Returns the consultation with its final status."""
    row = consultation.row
    row.status = imported.status
    if imported.status in SIGNED:
        row.status = Status.AMENDED.value if imported.addendum else Status.COMPLETED.value
        row.completed_at, row.signed_by_id, row.current_step = imported.ended_at, imported.doctor_id, int(Step.REVIEW_SIGN)
        row.content_sha256 = content_sha256(row.pk, consultation.saves.values())
    elif imported.status == Status.CANCELLED:
        row.cancelled_at = imported.ended_at
    return selectors.build_details(row, consultation.saves, {})


def _history(imported: ImportedConsultation, row: Consultation) -> Iterator[ConsultationStatusChange]:
    common = {"consultation": row, "to_doctor_id": row.doctor_id, "by_id": row.doctor_id}
    yield ConsultationStatusChange(to_status=Status.IN_PROGRESS.value, at=imported.started_at, **common)
    if imported.ended_at:
        end_status = Status.COMPLETED.value if imported.status in SIGNED else imported.status
        yield ConsultationStatusChange(
            from_status=Status.IN_PROGRESS.value, to_status=end_status, at=imported.ended_at, reason=imported.reason, **common
        )
        if imported.addendum:
            yield ConsultationStatusChange(from_status=end_status, to_status=Status.AMENDED.value, at=imported.ended_at, **common)


def _alerts(consultations: Sequence[selectors.ConsultationDetails]) -> None:
    """Records the urgent alerts of consultations in progress, and marks the queue. It notifies no doctor, because these are past
    events."""
    for consultation in consultations:
        save = consultation.saves.get(Step.VITALS)
        if save is None or not consultation.urgent_alerts:
            continue
        VitalAlert.objects.bulk_create(
            alerting.history(consultation.row, consultation.urgent_alerts, save.saved_at, save.saved_by_id)
        )
        if save.saved_by_id != consultation.row.doctor_id:
            alerting.mark_queue(SYSTEM, consultation, raised_at=save.saved_at)


def _vitals(consultation: selectors.ConsultationDetails) -> list[StepSave]:
    """Returns the saves of the vital signs: an imported step has one."""
    return [consultation.saves[Step.VITALS]] if Step.VITALS in consultation.saves else []


def _chart(
    by: Actor,
    consultations: Sequence[selectors.ConsultationDetails],
    patient_by_id: Mapping[UUID, Patient],
    addendum_of: Mapping[UUID, Addendum],
) -> None:
    """Writes signed consultations to the charts, and adds each doctor to the care team of the patients they saw."""
    of_patient: dict[UUID, list[selectors.ConsultationDetails]] = defaultdict(list)
    for consultation in consultations:
        of_patient[consultation.row.patient_id].append(consultation)
    for patient_id, own in of_patient.items():
        entries = [
            entry
            for consultation in own
            if consultation.row.status in SIGNED
            for entry in chart_projection.entries(consultation, _vitals(consultation))
        ]
        entries += [
            chart_projection.addendum(consultation.row, addendum_of[consultation.row.pk])
            for consultation in own
            if consultation.row.pk in addendum_of
        ]
        charts.record_all(by=by, patient_id=patient_id, entries=entries, source=chart_projection.SOURCE)
        for doctor_id in {consultation.row.doctor_id for consultation in own}:
            charts.join_care_team(by=by, patient=patient_by_id[patient_id], doctor_id=doctor_id)


def _addenda(consultations: Sequence[ImportedConsultation]) -> dict[UUID, Addendum]:
    """Inserts the addenda, and returns them by consultation."""
    rows = Addendum.objects.bulk_create(
        Addendum(
            id=uuid5(one.id, "addendum"),  # a repeated import gives the same id
            consultation_id=one.id,
            text=one.addendum,
            signed_at=one.ended_at or one.started_at,
            signed_by_id=one.doctor_id,
        )
        for one in consultations
        if one.addendum
    )
    return {row.consultation_id: row for row in rows}
