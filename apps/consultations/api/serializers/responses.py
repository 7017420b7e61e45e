"""Serializers of consultations, within the reader's permissions."""

from typing import Any

from rest_framework import serializers

from apps.access.actor import Actor
from apps.appointments.api.serializers.responses import DOCTOR, PATIENT
from apps.consultations.api.serializers import step_data
from apps.consultations.models import STATUSES, WORKFLOWS, Acknowledgement, Addendum
from apps.consultations.queries.prepared import COLUMNS
from apps.consultations.rights import Permission
from apps.consultations.rules import State, StepState
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import SCHEMAS, STEP_COUNT, Step
from apps.patients.api.serializers.responses import ColleagueShape, PatientRow

__all__ = ["DOCTOR", "PATIENT"]
STATES = [(state.value, state.value) for state in State]


def _number(**about: Any) -> serializers.IntegerField:
    """The number of a step."""
    return serializers.IntegerField(min_value=0, max_value=STEP_COUNT - 1, **about)


class ConsultationRow(serializers.Serializer[dict[str, Any]]):
    """A consultation in a list."""

    reads = Permission.CONSULTATION_VIEW

    id = serializers.UUIDField()
    patient_id = serializers.UUIDField()
    doctor_id = serializers.UUIDField(help_text="A staff member's id")
    appointment_id = serializers.UUIDField(allow_null=True, help_text="null for a walk-in")
    workflow_type = serializers.ChoiceField(choices=WORKFLOWS)
    current_step = _number(help_text="The lowest step that is neither completed nor skipped")
    total_steps = serializers.IntegerField(help_text="Always 11")
    status = serializers.ChoiceField(choices=STATUSES)
    started_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    patient = PatientRow(required=False, allow_null=True, help_text="With `expand=patient`")
    doctor = ColleagueShape(required=False, allow_null=True, help_text="With `expand=doctor`")


class CodedDiagnosisShape(serializers.Serializer[dict[str, Any]]):
    """A diagnosis with the name of its code."""

    code = serializers.CharField()
    display = serializers.CharField()
    primary = serializers.BooleanField()
    unusual = serializers.CharField(required=False, help_text="Why it does not fit the patient's age or sex")


class ParsedShape(serializers.Serializer[dict[str, Any]]):
    """What the server read from the data of a step: the numbers of vitals, the names of the codes of the assessment."""

    systolic = serializers.IntegerField(required=False)
    diastolic = serializers.IntegerField(required=False)
    pulse = serializers.FloatField(required=False)
    temperature_c = serializers.FloatField(required=False)
    spo2 = serializers.FloatField(required=False)
    respiratory_rate = serializers.FloatField(required=False)
    weight_kg = serializers.FloatField(required=False)
    height_cm = serializers.FloatField(required=False)
    bmi = serializers.FloatField(required=False)
    pain = serializers.FloatField(required=False)
    diagnoses = CodedDiagnosisShape(many=True, required=False)


class StepEntryShape(serializers.Serializer[dict[str, Any]]):
    """The state of one step."""

    state = serializers.ChoiceField(choices=STATES)
    completed = serializers.BooleanField()
    in_progress = serializers.BooleanField()
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]  # DRF has an attribute so called
    reason = serializers.CharField(required=False, allow_blank=True, help_text="The reason why it is required or skipped")
    rule_id = serializers.CharField(required=False, help_text="The adaptive rule behind it")
    version = serializers.IntegerField(required=False, help_text="0 if nothing has been saved yet")
    parsed = ParsedShape(required=False, help_text="The values that the server parsed: numbers, names of codes")
    outcome = serializers.DictField(required=False, help_text="What was ordered with it")
    saved_at = serializers.DateTimeField(required=False)
    saved_by = serializers.UUIDField(required=False, allow_null=True)


def _step(step: Step) -> type[StepEntryShape]:
    """Returns the entry of a step with its own data, such as `VitalsStep`."""
    name = "".join(word.capitalize() for word in step.wire_name.split("_"))
    kind = step_data.content(step) if SCHEMAS[step] else serializers.DictField
    data = kind(required=False, help_text="As it was sent; absent if nothing has been saved")
    parts = {"data": data, "__doc__": f"The state and the data of the step {step.wire_name}.", "__module__": __name__}
    return type(f"{name}StepShape", (StepEntryShape,), parts)


class StepDataShape(serializers.Serializer[dict[str, Any]]):
    """The eleven steps by name. Readers of codes see only the assessment."""

    patient_overview = _step(Step.PATIENT_OVERVIEW)(required=False)
    vitals = _step(Step.VITALS)(required=False)
    symptoms = _step(Step.SYMPTOMS)(required=False)
    history_review = _step(Step.HISTORY_REVIEW)(required=False)
    examination = _step(Step.EXAMINATION)(required=False)
    investigations = _step(Step.INVESTIGATIONS)(required=False)
    assessment = _step(Step.ASSESSMENT)()
    treatment_plan = _step(Step.TREATMENT_PLAN)(required=False)
    prescriptions = _step(Step.PRESCRIPTIONS)(required=False)
    follow_up = _step(Step.FOLLOW_UP)(required=False)
    review_sign = _step(Step.REVIEW_SIGN)(required=False)


class ChartItemShape(serializers.Serializer[dict[str, Any]]):
    """An active entry of the chart, for confirmation."""

    id = serializers.UUIDField()
    display = serializers.CharField()
    code_system = serializers.CharField(allow_blank=True)
    code = serializers.CharField(allow_blank=True)
    since = serializers.CharField(help_text="The date as exactly as it is known")


class ChartReviewShape(serializers.Serializer[dict[str, Any]]):
    """What the chart contains for the review of the history."""

    allergies = ChartItemShape(many=True, required=False)
    medications = ChartItemShape(many=True, required=False)
    problems = ChartItemShape(many=True, required=False)


class PrefillShape(serializers.Serializer[dict[str, Any]]):
    """What the chart offers for confirmation, by step."""

    history_review = ChartReviewShape(required=False)


class PromptShape(serializers.Serializer[dict[str, Any]]):
    """A question of an adaptive rule."""

    rule_id = serializers.CharField()
    because = serializers.CharField()
    step_number = _number()
    step_name = serializers.CharField()
    questions = serializers.ListField(child=serializers.CharField())


class AcknowledgementShape(serializers.Serializer[dict[str, Any]]):
    """Who acknowledged an alert, and why it was overridden."""

    at = serializers.DateTimeField()
    by = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()


class VisitAlertShape(serializers.Serializer[dict[str, Any]]):
    """An alert that must be acknowledged before the consultation is signed."""

    id = serializers.CharField()
    rule_id = serializers.CharField()
    because = serializers.CharField()
    step_number = _number()
    step_name = serializers.CharField()
    message = serializers.CharField()
    urgent = serializers.BooleanField(help_text="The doctor was notified; a doctor must acknowledge it")
    acknowledged = AcknowledgementShape(allow_null=True)


class AddendumShape(serializers.Serializer[dict[str, Any]]):
    """A text added after the signature."""

    id = serializers.UUIDField()
    text = serializers.CharField()
    signed_at = serializers.DateTimeField()
    signed_by = serializers.UUIDField(allow_null=True)


class ConsultationShape(ConsultationRow):
    """A consultation in full. Readers of codes see its frame and the diagnoses."""

    step_data = StepDataShape()
    entered_by = serializers.UUIDField(required=False, allow_null=True, help_text="Who started it")
    ready_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Since when it is ready for its doctor")
    ready_by = serializers.UUIDField(required=False, allow_null=True, help_text="Who marked it as ready for the doctor")
    required_steps = serializers.ListField(child=serializers.IntegerField(), required=False)
    missing_steps = serializers.ListField(child=serializers.IntegerField(), required=False, help_text="Required, not completed")
    recommended_next = _number(required=False, allow_null=True, help_text="The next step; null once the consultation has ended")
    prompts = PromptShape(many=True, required=False)
    alerts = VisitAlertShape(many=True, required=False)
    prefill = PrefillShape(required=False, help_text="By step: what the chart contains, for confirmation")
    rule_version = serializers.CharField(
        required=False, allow_blank=True, help_text="Of the adaptive table; blank for other consultations"
    )
    rules_note = serializers.CharField(required=False, allow_blank=True, help_text="Whether clinicians have reviewed the rules")
    signed_by = serializers.UUIDField(required=False, allow_null=True)
    override_reason = serializers.CharField(required=False, allow_blank=True)
    content_sha256 = serializers.CharField(required=False, allow_blank=True, help_text="Hash of the steps at signature")
    cancelled_at = serializers.DateTimeField(required=False, allow_null=True)
    addenda = AddendumShape(many=True, required=False)


def to_row(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a consultation of a list, which is plain values already."""
    return {name: STEP_COUNT if name == "total_steps" else row[name] for name in _ROW}


_ROW = (*COLUMNS[:5], "current_step", "total_steps", "status", *COLUMNS[7:])


def consultation(consultation: ConsultationDetails, reader: Actor) -> dict[str, Any]:
    """Returns the reference's form (section 5.2), with the guidance of adaptive consultations."""
    row = consultation.row
    fields = to_row({name: getattr(row, name) for name in COLUMNS})
    head = {name: fields[name] for name in _ROW[:-2]}
    tail = {name: fields[name] for name in _ROW[-2:]}
    if not reader.has_permission(Permission.CONSULTATION_SEE_NOTES):
        return head | {"step_data": {Step.ASSESSMENT.wire_name: _codes(consultation)}} | tail
    entries = {one.step.wire_name: _entry(consultation, one) for one in consultation.progress.steps}
    return head | {"step_data": entries} | tail | _guidance_fields(consultation) | _signature_fields(consultation)


def warnings(consultation: ConsultationDetails, reader: Actor) -> list[dict[str, Any]]:
    """Returns what a client must show with the consultation: urgent alerts, diagnoses that do not fit, and what was not
    ordered."""
    if not reader.has_permission(Permission.CONSULTATION_SEE_NOTES):
        return []
    alerts = [(f"{one['message']} {one['because']}", "step_data.vitals") for one in consultation.urgent_alerts]
    warnings = [{"code": "vital_alert", "message": message, "field": field} for message, field in alerts]
    warnings += [
        {"code": "unusual_for_patient", "message": reason, "field": f"step_data.diagnoses[{place}].code"}
        for place, reason in consultation.unusual_diagnoses
    ]
    return warnings + [
        {"code": one.code, "message": one.message, "field": one.field} for one in notices.of_consultation(consultation)
    ]


def _entry(consultation: ConsultationDetails, one: StepState) -> dict[str, Any]:
    entry = _state(one) | {"required": one.required, "reason": one.reason}
    rule = _rule_of(consultation, one)
    entry |= {"rule_id": rule} if rule else {}
    save = consultation.saves.get(one.step)
    if save is None:
        return entry | {"version": 0}
    entry |= {"version": save.version, "data": save.data}
    entry |= {"parsed": save.parsed} if save.parsed else {}
    entry |= {"outcome": save.outcome} if save.outcome else {}
    return entry | {"saved_at": save.saved_at, "saved_by": save.saved_by_id}


def _state(one: StepState) -> dict[str, Any]:
    return {"state": one.state.value, "completed": one.state is State.COMPLETED, "in_progress": one.state is State.IN_PROGRESS}


def _rule_of(consultation: ConsultationDetails, one: StepState) -> str:
    """Returns the rule whose reason is shown."""
    guidance = consultation.row.guidance
    lines = guidance.get("requires", []) if one.required else guidance.get("skips", []) if one.state is State.SKIPPED else []
    return next((line["rule_id"] for line in lines if line["step"] == one.step and line["because"] == one.reason), "")


def _codes(consultation: ConsultationDetails) -> dict[str, Any]:
    """Returns the assessment for readers of codes without narrative."""
    (one,) = [one for one in consultation.progress.steps if one.step is Step.ASSESSMENT]
    save = consultation.saves.get(Step.ASSESSMENT)
    if save is None:
        return _state(one)
    coded = [{"code": diagnosis["code"], "primary": diagnosis["primary"]} for diagnosis in save.parsed.get("diagnoses", ())]
    return _state(one) | {"data": {"diagnoses": coded}}


def _guidance_fields(consultation: ConsultationDetails) -> dict[str, Any]:
    """Returns what is required and the results of the adaptive rules."""
    guidance, progress = consultation.row.guidance, consultation.progress
    return {
        "entered_by": consultation.row.entered_by_id,
        "ready_at": consultation.row.ready_at,
        "ready_by": consultation.row.ready_by_id,
        "required_steps": [int(step) for step in progress.required],
        "missing_steps": [int(step) for step in progress.missing],
        "recommended_next": None if progress.recommended is None else int(progress.recommended),
        "prompts": [_line(line) | {"questions": line["asks"]} for line in guidance.get("prompts", [])],
        "alerts": [alert(line, consultation.acknowledged.get(line["id"])) for line in consultation.alerts],
        "prefill": guidance.get("prefill", {}),
        "rule_version": consultation.row.rule_version,
        "rules_note": guidance.get("note", ""),
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    step = Step(line["step"])
    return {"rule_id": line["rule_id"], "because": line["because"], "step_number": int(step), "step_name": step.wire_name}


def alert(line: dict[str, Any], answer: Acknowledgement | None) -> dict[str, Any]:
    """Returns an alert, and who acknowledged it."""
    answered = {"at": answer.at, "by": answer.by_id, "reason": answer.reason} if answer else None
    return (
        {"id": line["id"]}
        | _line(line)
        | {"message": line["message"], "urgent": line.get("urgent", False), "acknowledged": answered}
    )


def _signature_fields(consultation: ConsultationDetails) -> dict[str, Any]:
    row = consultation.row
    return {
        "signed_by": row.signed_by_id,
        "override_reason": row.override_reason,
        "content_sha256": row.content_sha256,
        "cancelled_at": row.cancelled_at,
        "addenda": [_addendum(one) for one in consultation.addenda],
    }


def _addendum(one: Addendum) -> dict[str, Any]:
    return {"id": one.pk, "text": one.text, "signed_at": one.signed_at, "signed_by": one.signed_by_id}
