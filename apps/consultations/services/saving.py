"""Saving a step: read, merged over what is stored, checked, kept as its next version; then the rules look at the visit anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, HimsError, Invalid
from apps.consultations import guiding, ports, rules, selectors, steps, unplaced
from apps.consultations.events import ConsultationStepSaved
from apps.consultations.models import Consultation, StepSave
from apps.consultations.ports import Acknowledged, Order, StepHandler
from apps.consultations.rules import State, Status
from apps.consultations.selectors import Visit
from apps.consultations.services import acknowledging, alerting
from apps.consultations.services.holding import about, held, refuse_others
from apps.consultations.steps import EARLY, Step
from apps.events.services import emit
from apps.patients import ages, vitals
from apps.patients.dates import years_between
from apps.patients.models import Patient
from apps.terminology import fit
from apps.terminology import selectors as terminology


class NotOpen(Conflict):
    message = "Steps are saved while the consultation is in progress."


class EarlierStepOpen(Conflict):
    """`details.open_step` is the step that comes first."""

    message = "A standard consultation goes in order: an earlier step is still to be completed."


class StepChanged(Conflict):
    """`details.current` is the step as it is stored now, so that both can be compared; nothing was overwritten."""

    message = "Somebody saved this step meanwhile."


@dataclass(frozen=True, kw_only=True)
class NewSave:
    """What is typed into a step. `version` is the step's as the caller saw it (0: nothing saved yet); None takes what is there.

    `completed` None completes the step when all it requires is there; vitals, history and examination require any one finding.
    """

    step: Step
    data: Mapping[str, Any]
    completed: bool | None = None
    version: int | None = None
    acknowledged: Sequence[Acknowledged] = ()


class _OrderRefused(Exception):
    """A step handler said no; the save is taken back first."""

    def __init__(self, handler: StepHandler, order: Order, refusal: HimsError) -> None:
        super().__init__(str(refusal))
        self.handler, self.order, self.refusal = handler, order, refusal


def save_step(*, by: Actor, consultation_id: UUID, save: NewSave) -> Visit:
    """Keep what was typed over what is stored, field by field: absent stays, None clears. Saved again unchanged, nothing happens.

    Raises Invalid naming the field below `step_data`, NotFound, Forbidden (another doctor's, or a step that is not the role's),
    NotOpen, EarlierStepOpen, StepChanged, and what a step handler refuses.
    """
    if save.step not in EARLY and not by.may(Permission.CONSULTATION_STEP_ANY):
        raise Forbidden("Your role saves the steps 0 to 3.", field="step_number")
    if save.step is Step.REVIEW_SIGN:
        raise Invalid(field="step_number", issue="Step 10 is completed by signing: POST /consultations/{id}/complete.")
    sent = _read(save)
    try:
        with transaction.atomic():
            return _saved(by, consultation_id, save, sent)
    except _OrderRefused as said:
        said.handler.refused(by=by, order=said.order, refusal=said.refusal)
        raise said.refusal from said


def _saved(by: Actor, consultation_id: UUID, save: NewSave, sent: Mapping[str, Any]) -> Visit:
    row, patient = held(by, consultation_id)
    refuse_others(by, row)
    visit = selectors.whole(row)
    _refuse_now(visit, save)
    before = visit.saves.get(save.step)
    fresh = _next(by, visit, patient, save, sent)
    unchanged = before and (fresh.data, fresh.state) == (before.data, before.state)
    is_to_be_placed = ports.handler_of(save.step) and unplaced.of_save(before)  # saved before the handler was there
    if unchanged and not save.acknowledged and not is_to_be_placed:
        return visit
    if fresh.state == State.COMPLETED:
        fresh.outcome = _placed(by, row, save, fresh)
    fresh.save(force_insert=True)
    return _looked_at_anew(by, visit, patient, save, fresh)


def _read(save: NewSave) -> dict[str, Any]:
    try:
        return steps.read(save.step, save.data)
    except steps.Unreadable as wrong:
        raise _told(wrong) from wrong


def _told(wrong: steps.Unreadable) -> Invalid:
    return Invalid(errors=[{"field": f"step_data.{problem.field}", "issue": problem.issue} for problem in wrong.problems])


def _refuse_now(visit: Visit, save: NewSave) -> None:
    """Raises NotOpen, EarlierStepOpen, StepChanged."""
    row, here = visit.row, visit.saves.get(save.step)
    if row.status != Status.IN_PROGRESS:
        raise NotOpen(status=row.status, allowed=[status.value for status in rules.MOVES[row.status]])
    if save.version is not None and save.version != (here.version if here else 0):
        raise StepChanged(step_number=int(save.step), step_name=save.step.word, current=stored(here))
    first = rules.in_the_way(row.workflow_type, save.step, visit.progress)
    if first is not None:
        raise EarlierStepOpen(open_step=int(first), open_step_name=first.word)


def stored(here: StepSave | None) -> dict[str, Any] | None:
    """A step as it is stored, for whoever is to compare."""
    if here is None:
        return None
    told = {"version": here.version, "state": here.state, "data": here.data, "saved_at": here.saved_at}
    return told | {"saved_by": here.saved_by_id}


def _next(by: Actor, visit: Visit, patient: Patient, save: NewSave, sent: Mapping[str, Any]) -> StepSave:
    """The step's next version, not saved yet. Raises Invalid."""
    row, before = visit.row, visit.saves.get(save.step)
    person = guiding.person(row, patient) if save.step is Step.VITALS and {"weight_kg", "height_cm"} & set(sent) else None
    try:
        stored = before.data if before else {}
        data = steps.merged(save.step, stored, sent, person)
        if wrong_day := steps.past_follow_up(stored, sent, clock.today()) if save.step is Step.FOLLOW_UP else []:
            raise steps.Unreadable(wrong_day)
    except steps.Unreadable as wrong:
        raise _told(wrong) from wrong
    completed = _is_completed(save, data)
    return StepSave(
        consultation=row,
        number=save.step,
        version=before.version + 1 if before else 1,
        state=(State.COMPLETED if completed else State.IN_PROGRESS).value,
        data=data,
        parsed=_parsed(save.step, data, _day(row), patient),
        outcome=before.outcome if before else {},
        saved_at=clock.now(),
        saved_by_id=by.id,
    )


def _is_completed(save: NewSave, data: Mapping[str, Any]) -> bool:
    """Whether the save completes the step. Raises Invalid where the caller says so and something is missing."""
    lacking, is_unanswered = steps.lacking(save.step, data), steps.is_unanswered(save.step, data)
    if save.completed and lacking:
        raise Invalid(errors=[{"field": f"step_data.{name}", "issue": "Is required to complete the step."} for name in lacking])
    if save.completed and is_unanswered:
        raise Invalid(field="step_data", issue="The step is empty. Enter at least one finding to complete it.")
    return not (lacking or is_unanswered) if save.completed is None else save.completed


def _day(row: Consultation) -> date:
    return row.started_at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()


def _parsed(step: Step, data: Mapping[str, Any], day: date, patient: Patient) -> dict[str, Any]:
    """What the server makes of the data. Raises Invalid for a diagnosis that cannot be made on the day of the visit."""
    if step is Step.VITALS:
        return vitals.measured(data)
    if step is Step.ASSESSMENT and data.get("diagnoses"):
        return {"diagnoses": [_fitted(one, day, patient) for one in _coded(data["diagnoses"], day)]}
    return {}


def _fitted(diagnosis: dict[str, Any], day: date, patient: Patient) -> dict[str, Any]:
    """Returns the diagnosis, with the reason in `unusual` where it does not fit the patient's age or sex."""
    years = max(years_between(patient.date_of_birth, day), 0)
    noon = datetime.combine(day, time(12), ZoneInfo(settings.CLINIC_TIME_ZONE))
    reason = fit.unusual(diagnosis["code"], age_years=years, sex=patient.gender, age=ages.age_of(patient, noon))
    return diagnosis | ({"unusual": reason} if reason else {})


def _coded(diagnoses: Sequence[Mapping[str, Any]], day: date) -> list[dict[str, Any]]:
    """The codes with their names, in one query. Without a word about it the first is the primary one."""
    asked = [diagnosis["code"] for diagnosis in diagnoses]
    known, wrong = terminology.look_up(asked, on=day), []
    for place, code in enumerate(asked):
        if not known[code].is_known:
            wrong.append((place, f"{code} is no ICD-10-CM code of {day}."))
        elif not known[code].is_billable:
            wrong.append((place, f"{code} is a header of codes; send one of those below it."))
    if wrong:
        raise Invalid(errors=[{"field": f"step_data.diagnoses[{place}].code", "issue": issue} for place, issue in wrong])
    first = next((place for place, diagnosis in enumerate(diagnoses) if diagnosis.get("primary")), 0)
    return [
        {"code": known[code].code, "display": known[code].display, "primary": place == first} for place, code in enumerate(asked)
    ]


def _placed(by: Actor, row: Consultation, save: NewSave, fresh: StepSave) -> dict[str, Any]:
    """What the step's handler did; unchanged where nobody fills the step. Raises _OrderRefused."""
    handler = ports.handler_of(save.step)
    if handler is None:
        return fresh.outcome
    order = Order(
        consultation_id=row.pk,
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        entered_by_id=by.id,
        data=fresh.data,
        earlier=fresh.outcome,
        acknowledged=save.acknowledged,
    )
    try:
        return dict(handler.place(by=by, order=order))
    except HimsError as refusal:
        raise _OrderRefused(handler, order, refusal) from refusal


def _looked_at_anew(by: Actor, visit: Visit, patient: Patient, save: NewSave, fresh: StepSave) -> Visit:
    """The visit after the save: what the rules say now, alerts that were answered, how far it has come. Announced."""
    row, saves = visit.row, {**visit.saves, save.step: fresh}
    before = visit.alerts
    row.guidance = guiding.guidance(row, patient, saves)
    alerting.renumber(row, row.guidance)
    answered = acknowledging.answer(
        by,
        row,
        [*before, *row.guidance.get("alerts", [])],
        visit.acknowledged,
        save.acknowledged,
        others_listen=ports.handler_of(save.step) is not None,
    )
    after = selectors.put_together(row, saves, answered)
    row.current_step, row.version, row.updated_at = after.progress.current, row.version + 1, fresh.saved_at
    if by.id == row.doctor_id:
        row.ready_at = row.ready_by_id = None  # the doctor is at work in it
    row.save(update_fields=["guidance", "current_step", "version", "updated_at", "ready_at", "ready_by"])
    alerting.refresh(by, before, after)
    rule_ids = tuple(one.rule_id for alert_id, one in answered.items() if alert_id not in visit.acknowledged)
    fact = ConsultationStepSaved(
        **about(row), step_number=int(save.step), step_version=fresh.version, step_state=fresh.state, acknowledged=rule_ids
    )
    emit(fact, by=by)
    return after
