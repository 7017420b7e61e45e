"""Saving a step: read, merge over what is stored, validate, place orders, store as the next version, guide by the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.access.actor import Actor
from apps.common import clinic_times, clock
from apps.common.errors import Conflict, Forbidden, HimsError, Invalid
from apps.consultations import rules, selectors, sql
from apps.consultations.adaptive import guidance
from apps.consultations.events import ConsultationStepSaved
from apps.consultations.models import Consultation, StepSave
from apps.consultations.rights import Permission
from apps.consultations.rules import State, Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import acknowledging, alerting
from apps.consultations.services.locking import check_owner, event_fields, get_for_update
from apps.consultations.steps import definitions, notices, ports
from apps.consultations.steps.definitions import NURSE_STEPS, Step
from apps.consultations.steps.ports import Acknowledged, Order, StepHandler
from apps.events.services import emit
from apps.patients.chart import ages, vitals
from apps.patients.chart.dates import years_between
from apps.patients.models import Patient
from apps.terminology import selectors as terminology
from apps.terminology.icd10 import plausibility


class StepForbidden(Forbidden):
    message = "Your role can save only steps 0 to 3."


class NotOpen(Conflict):
    message = "Steps can be saved only while the consultation is in progress."


class EarlierStepOpen(Conflict):
    """`details.open_step` is the step to complete first."""

    message = "The steps of a standard consultation are saved in order: complete the earlier step first."


class StepChanged(Conflict):
    """`details.current` is the stored step, so that both can be compared. Nothing was overwritten."""

    message = "This step has been saved by another user since you read it."


@dataclass(frozen=True, kw_only=True)
class NewSave:
    """The data of a step to save. `version` is the step's version that the caller saw (0: not saved yet); None accepts any.

    With `completed` None the save completes the step if everything required is present; vitals, history and examination require
    at least one finding.
    """

    step: Step
    data: Mapping[str, Any]
    completed: bool | None = None
    version: int | None = None
    acknowledged: Sequence[Acknowledged] = ()


class _OrderRefused(Exception):
    """A step handler refused. The save is rolled back first."""

    def __init__(self, handler: StepHandler, order: Order, refusal: HimsError) -> None:
        super().__init__(str(refusal))
        self.handler, self.order, self.refusal = handler, order, refusal


def save_step(*, by: Actor, consultation_id: UUID, save: NewSave) -> ConsultationDetails:
    """Saves the data of a step: read, merge, validate, place orders, store, guide.

    The data are merged over the stored ones, field by field: an absent field stays, None clears it. A save without changes writes
    nothing.

    Raises Invalid naming the field below `step_data`, NotFound, Forbidden (another doctor's consultation, or a step that is not
    the role's), NotOpen, EarlierStepOpen, StepChanged, and what a step handler refuses.
    """
    _check_role(by, save)
    sent = _read(save)
    try:
        with transaction.atomic():
            row, patient = get_for_update(by, consultation_id)
            check_owner(by, row)
            consultation = selectors.details(row)
            _check_open(consultation, save)
            data = _merge(consultation, patient, save, sent)
            new_save = _validate(by, consultation, patient, save, data)
            if _changes_nothing(consultation, save, new_save):
                return consultation
            _place_order(by, row, save, new_save)
            return _guide(by, consultation, patient, save, new_save)
    except _OrderRefused as refused:  # after the rollback, so that the handler can record what was shown
        refused.handler.refused(by=by, order=refused.order, refusal=refused.refusal)
        raise refused.refusal from refused


def _check_role(by: Actor, save: NewSave) -> None:
    """Raises Forbidden for a step that the role may not save, Invalid for the step that only a signature completes."""
    if save.step not in NURSE_STEPS and not by.has_permission(Permission.CONSULTATION_STEP_ANY):
        raise StepForbidden(field="step_number")
    if save.step is Step.REVIEW_SIGN:
        raise Invalid(field="step_number", issue="Step 10 is completed by signing: POST /consultations/{id}/complete.")


def _read(save: NewSave) -> dict[str, Any]:
    try:
        return definitions.read(save.step, save.data)
    except definitions.Unreadable as wrong:
        raise _invalid(wrong) from wrong


def _invalid(wrong: definitions.Unreadable) -> Invalid:
    return Invalid(errors=[{"field": f"step_data.{problem.field}", "issue": problem.issue} for problem in wrong.problems])


def _check_open(consultation: ConsultationDetails, save: NewSave) -> None:
    """Raises NotOpen, EarlierStepOpen, StepChanged."""
    row, latest = consultation.row, consultation.saves.get(save.step)
    if row.status != Status.IN_PROGRESS:
        raise NotOpen(status=row.status, allowed=rules.LIFECYCLE.allowed(row.status))
    if save.version is not None and save.version != (latest.version if latest else 0):
        raise StepChanged(step_number=int(save.step), step_name=save.step.wire_name, current=stored_step(latest))
    blocking = rules.blocking_step(row.workflow_type, save.step, consultation.progress)
    if blocking is not None:
        raise EarlierStepOpen(open_step=int(blocking), open_step_name=blocking.wire_name)


def stored_step(latest: StepSave | None) -> dict[str, Any] | None:
    """Returns a stored step, for the caller to compare."""
    if latest is None:
        return None
    content = {"version": latest.version, "state": latest.state, "data": latest.data, "saved_at": latest.saved_at}
    return content | {"saved_by": latest.saved_by_id}


def _merge(consultation: ConsultationDetails, patient: Patient, save: NewSave, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the stored data with the sent data merged over them. Raises Invalid."""
    latest = consultation.saves.get(save.step)
    stored = latest.data if latest else {}
    measured = save.step is Step.VITALS and {"weight_kg", "height_cm"} & set(sent)
    person = guidance.person(consultation.row, patient) if measured else None
    try:
        data = definitions.merged(save.step, stored, sent, person)
        if save.step is Step.FOLLOW_UP and (problems := definitions.past_follow_up(stored, sent, clock.today())):
            raise definitions.Unreadable(problems)
    except definitions.Unreadable as wrong:
        raise _invalid(wrong) from wrong
    return data


def _validate(by: Actor, consultation: ConsultationDetails, patient: Patient, save: NewSave, data: Mapping[str, Any]) -> StepSave:
    """Returns the unsaved next version of the step. Raises Invalid for an incomplete step and for an unknown diagnosis code."""
    row, previous = consultation.row, consultation.saves.get(save.step)
    completed = _is_completed(save, data)
    return StepSave(
        consultation=row,
        number=save.step,
        version=previous.version + 1 if previous else 1,
        state=(State.COMPLETED if completed else State.IN_PROGRESS).value,
        data=data,
        parsed=_parsed(save.step, data, _day(row), patient),
        outcome=previous.outcome if previous else {},
        saved_at=clock.now(),
        saved_by_id=by.id,
    )


def _is_completed(save: NewSave, data: Mapping[str, Any]) -> bool:
    """Returns whether the save completes the step. Raises Invalid if the caller says so but something is missing."""
    missing, is_unanswered = definitions.missing_fields(save.step, data), definitions.is_unanswered(save.step, data)
    if save.completed and missing:
        raise Invalid(errors=[{"field": f"step_data.{name}", "issue": "Required to complete the step."} for name in missing])
    if save.completed and is_unanswered:
        raise Invalid(field="step_data", issue="The step is empty. Enter at least one finding to complete it.")
    return not (missing or is_unanswered) if save.completed is None else save.completed


def _day(row: Consultation) -> date:
    return row.started_at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()


def _parsed(step: Step, data: Mapping[str, Any], day: date, patient: Patient) -> dict[str, Any]:
    """Returns the values that the server parses from the data. Raises Invalid for a diagnosis that is not valid on that day."""
    if step is Step.VITALS:
        return vitals.measured(data)
    if step is Step.ASSESSMENT and data.get("diagnoses"):
        return {"diagnoses": [_with_fit(one, day, patient) for one in _coded(data["diagnoses"], day)]}
    return {}


def _with_fit(diagnosis: dict[str, Any], day: date, patient: Patient) -> dict[str, Any]:
    """Returns the diagnosis, with the reason in `unusual` if it does not fit the patient's age or sex."""
    years = max(years_between(patient.date_of_birth, day), 0)
    noon = datetime.combine(day, time(12), ZoneInfo(settings.CLINIC_TIME_ZONE))
    reason = plausibility.implausibility(diagnosis["code"], age_years=years, sex=patient.gender, age=ages.age_of(patient, noon))
    return diagnosis | ({"unusual": reason} if reason else {})


def _coded(diagnoses: Sequence[Mapping[str, Any]], day: date) -> list[dict[str, Any]]:
    """Returns the codes with their names, in one query."""
    codes = [diagnosis["code"] for diagnosis in diagnoses]
    known, wrong = terminology.check_codes(codes, on=day), []
    for position, code in enumerate(codes):
        if not known[code].is_known:
            wrong.append((position, f"{code} is not an ICD-10-CM code of {clinic_times.day(day)}."))
        elif not known[code].is_billable:
            wrong.append((position, f"{code} is a header of codes; send one of the codes below it."))
    if wrong:
        raise Invalid(errors=[{"field": f"step_data.diagnoses[{position}].code", "issue": issue} for position, issue in wrong])
    primary = definitions.primary_position(diagnoses)
    return [
        {"code": known[code].code, "display": known[code].display, "primary": position == primary}
        for position, code in enumerate(codes)
    ]


def _changes_nothing(consultation: ConsultationDetails, save: NewSave, new_save: StepSave) -> bool:
    """Returns whether the same data are stored already, no alert is acknowledged, and no handler must still place an order for
    them."""
    previous = consultation.saves.get(save.step)
    unchanged = previous is not None and (new_save.data, new_save.state) == (previous.data, previous.state)
    needs_order = ports.handler_of(save.step) is not None and notices.of_save(previous) is not None
    return unchanged and not save.acknowledged and not needs_order


def _place_order(by: Actor, row: Consultation, save: NewSave, new_save: StepSave) -> None:
    """Lets the step's handler place or change the order of a completed step, and stores its outcome. Raises _OrderRefused."""
    handler = ports.handler_of(save.step)
    if handler is None or new_save.state != State.COMPLETED:
        return
    order = Order(
        consultation_id=row.pk,
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        entered_by_id=by.id,
        data=new_save.data,
        earlier=new_save.outcome,
        acknowledged=save.acknowledged,
    )
    try:
        new_save.outcome = dict(handler.place(by=by, order=order))
    except HimsError as refusal:
        raise _OrderRefused(handler, order, refusal) from refusal


def _guide(
    by: Actor, consultation: ConsultationDetails, patient: Patient, save: NewSave, new_save: StepSave
) -> ConsultationDetails:
    """Updates the guidance, the acknowledged alerts and the progress after the save, announces it, and returns the
    consultation."""
    row, saves = consultation.row, {**consultation.saves, save.step: new_save}
    before = consultation.alerts
    row.guidance = guidance.current_guidance(row, patient, saves)
    alerting.renumber(row, row.guidance)
    answered = acknowledging.acknowledge_alerts(
        by,
        row,
        [*before, *row.guidance.get("alerts", [])],
        consultation.acknowledged,
        save.acknowledged,
        has_handler=ports.handler_of(save.step) is not None,
    )
    after = selectors.build_details(row, saves, answered)
    row.current_step, row.version, row.updated_at = after.progress.current, row.version + 1, new_save.saved_at
    if by.id == row.doctor_id:
        row.ready_at = row.ready_by_id = None  # the doctor is at work in it
    sql.store_step(new_save, row)
    alerting.refresh(by, before, after)
    rule_ids = tuple(one.rule_id for alert_id, one in answered.items() if alert_id not in consultation.acknowledged)
    event = ConsultationStepSaved(
        **event_fields(row),
        step_number=int(save.step),
        step_version=new_save.version,
        step_state=new_save.state,
        acknowledged=rule_ids,
    )
    emit(event, by=by)
    return after
