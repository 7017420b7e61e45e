"""Serializers of consultations, within the reader's permissions."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.fields import SkipField

from apps.access.actor import Actor
from apps.appointments.api.serializers.responses import EXPANSIONS
from apps.consultations.api.serializers import step_data
from apps.consultations.models import STATUSES, WORKFLOWS, Addendum
from apps.consultations.rights import Permission
from apps.consultations.rules import State
from apps.consultations.selectors import ConsultationDetails, StepDetails
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import SCHEMAS, STEP_COUNT, Step
from apps.patients.api.serializers.responses import ColleagueShape, PatientRow
from apps.rest.response_serializers import ResponseSerializer, optional, protected

__all__ = ["EXPANSIONS"]
STATES = [(state.value, state.value) for state in State]


def _number(**about: Any) -> serializers.IntegerField:
    """The number of a step."""
    return serializers.IntegerField(min_value=0, max_value=STEP_COUNT - 1, **about)


class ConsultationRow(ResponseSerializer):
    """A consultation in a list."""

    reads = Permission.CONSULTATION_VIEW
    expandable = ("patient", "doctor")

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

    @staticmethod
    def get_total_steps(_: Any) -> int:
        return STEP_COUNT


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


_noted = partial(protected, permission=Permission.CONSULTATION_SEE_NOTES)


class StepStateShape(ResponseSerializer):
    """The state of one step."""

    state = serializers.ChoiceField(source="progress.state", choices=STATES)
    completed = serializers.BooleanField(source="progress.is_completed")
    in_progress = serializers.BooleanField(source="progress.is_in_progress")
    required = _noted(serializers.BooleanField(source="progress.required", required=False))  # type: ignore[assignment]  # DRF has an attribute so called
    reason = _noted(
        serializers.CharField(
            source="progress.reason", required=False, allow_blank=True, help_text="The reason why it is required or skipped"
        )
    )
    rule_id = _noted(optional(serializers.CharField(required=False, help_text="The adaptive rule behind it")))
    version = _noted(serializers.IntegerField(required=False, help_text="0 if nothing has been saved yet"))


def _step(step: Step) -> type[StepStateShape]:
    """Returns the entry of a step with its own data, such as `VitalsStep`."""
    kind = step_data.content(step) if SCHEMAS[step] else serializers.DictField

    class StepShape(StepStateShape):
        data = optional(kind(required=False, help_text="As it was sent; absent if nothing has been saved"))  # type: ignore[assignment]  # DRF has an attribute so called
        parsed = _noted(
            optional(ParsedShape(required=False, help_text="The values that the server parsed: numbers, names of codes"))
        )
        outcome = _noted(optional(serializers.DictField(required=False, help_text="What was ordered with it")))
        saved_at = _noted(optional(serializers.DateTimeField(required=False)))
        saved_by = _noted(serializers.UUIDField(required=False, allow_null=True))

        @staticmethod
        def get_data(step: StepDetails, by: Actor) -> dict[str, Any] | None:
            return step.data if by.has_permission(Permission.CONSULTATION_SEE_NOTES) else step.codes

        @staticmethod
        def get_saved_by(step: StepDetails) -> UUID | None:
            if step.save is None:
                raise SkipField
            return step.save.saved_by_id

    name = "".join(word.capitalize() for word in step.wire_name.split("_"))
    StepShape.__name__, StepShape.__doc__ = f"{name}StepShape", f"The state and the data of the step {step.wire_name}."
    return StepShape


class StepDataShape(ResponseSerializer):
    """The eleven steps by name. Readers of codes see only the assessment."""

    patient_overview = _noted(_step(Step.PATIENT_OVERVIEW)(required=False))
    vitals = _noted(_step(Step.VITALS)(required=False))
    symptoms = _noted(_step(Step.SYMPTOMS)(required=False))
    history_review = _noted(_step(Step.HISTORY_REVIEW)(required=False))
    examination = _noted(_step(Step.EXAMINATION)(required=False))
    investigations = _noted(_step(Step.INVESTIGATIONS)(required=False))
    assessment = _step(Step.ASSESSMENT)()
    treatment_plan = _noted(_step(Step.TREATMENT_PLAN)(required=False))
    prescriptions = _noted(_step(Step.PRESCRIPTIONS)(required=False))
    follow_up = _noted(_step(Step.FOLLOW_UP)(required=False))
    review_sign = _noted(_step(Step.REVIEW_SIGN)(required=False))


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


class PromptShape(ResponseSerializer):
    """A question of an adaptive rule."""

    rule_id = serializers.CharField()
    because = serializers.CharField()
    step_number = _number(source="step")
    step_name = serializers.CharField()
    questions = serializers.ListField(source="asks", child=serializers.CharField())

    @staticmethod
    def get_step_name(line: dict[str, Any]) -> str:
        return Step(line["step"]).wire_name


class AcknowledgementShape(ResponseSerializer):
    """Who acknowledged an alert, and why it was overridden."""

    at = serializers.DateTimeField()
    by = serializers.UUIDField(source="by_id", allow_null=True)
    reason = serializers.CharField()


class VisitAlertShape(ResponseSerializer):
    """An alert that must be acknowledged before the consultation is signed."""

    id = serializers.CharField()
    rule_id = serializers.CharField()
    because = serializers.CharField()
    step_number = _number(source="step")
    step_name = serializers.CharField()
    message = serializers.CharField()
    urgent = serializers.BooleanField(help_text="The doctor was notified; a doctor must acknowledge it")
    acknowledged = AcknowledgementShape(allow_null=True)

    @staticmethod
    def get_step_name(line: dict[str, Any]) -> str:
        return Step(line["step"]).wire_name

    @staticmethod
    def get_urgent(line: dict[str, Any]) -> bool:
        return bool(line.get("urgent", False))


class AddendumShape(ResponseSerializer):
    """A text added after the signature."""

    id = serializers.UUIDField()
    text = serializers.CharField()
    signed_at = serializers.DateTimeField()
    signed_by = serializers.UUIDField(source="signed_by_id", allow_null=True)


class ConsultationShape(ConsultationRow):
    """A consultation in full. Readers of codes see its frame and the diagnoses."""

    origin = "row"  # of the ConsultationDetails

    step_data = StepDataShape()
    started_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    entered_by = _noted(
        serializers.UUIDField(source="entered_by_id", required=False, allow_null=True, help_text="Who started it")
    )
    ready_at = _noted(
        serializers.DateTimeField(required=False, allow_null=True, help_text="Since when it is ready for its doctor")
    )
    ready_by = _noted(
        serializers.UUIDField(
            source="ready_by_id", required=False, allow_null=True, help_text="Who marked it as ready for the doctor"
        )
    )
    required_steps = _noted(serializers.ListField(child=serializers.IntegerField(), required=False))
    missing_steps = _noted(
        serializers.ListField(child=serializers.IntegerField(), required=False, help_text="Required, not completed")
    )
    recommended_next = _noted(
        _number(required=False, allow_null=True, help_text="The next step; null once the consultation has ended")
    )
    prompts = _noted(PromptShape(many=True, required=False))
    alerts = _noted(VisitAlertShape(many=True, required=False))
    prefill = _noted(PrefillShape(required=False, help_text="By step: what the chart contains, for confirmation"))
    rule_version = _noted(
        serializers.CharField(required=False, allow_blank=True, help_text="Of the adaptive table; blank for other consultations")
    )
    rules_note = _noted(
        serializers.CharField(required=False, allow_blank=True, help_text="Whether clinicians have reviewed the rules")
    )
    signed_by = _noted(serializers.UUIDField(source="signed_by_id", required=False, allow_null=True))
    override_reason = _noted(serializers.CharField(required=False, allow_blank=True))
    content_sha256 = _noted(serializers.CharField(required=False, allow_blank=True, help_text="Hash of the steps at signature"))
    cancelled_at = _noted(serializers.DateTimeField(required=False, allow_null=True))
    addenda = _noted(AddendumShape(many=True, required=False))

    @staticmethod
    def get_step_data(details: ConsultationDetails) -> dict[str, StepDetails]:
        return {one.progress.step.wire_name: one for one in details.steps}

    @staticmethod
    def get_required_steps(details: ConsultationDetails) -> list[int]:
        return [int(step) for step in details.progress.required]

    @staticmethod
    def get_missing_steps(details: ConsultationDetails) -> list[int]:
        return [int(step) for step in details.progress.missing]

    @staticmethod
    def get_recommended_next(details: ConsultationDetails) -> int | None:
        step = details.progress.recommended
        return None if step is None else int(step)

    @staticmethod
    def get_prompts(details: ConsultationDetails) -> Any:
        return details.row.guidance.get("prompts", [])

    @staticmethod
    def get_alerts(details: ConsultationDetails) -> list[dict[str, Any]]:
        return [line | {"acknowledged": details.acknowledged.get(line["id"])} for line in details.alerts]

    @staticmethod
    def get_prefill(details: ConsultationDetails) -> Any:
        return details.row.guidance.get("prefill", {})

    @staticmethod
    def get_rules_note(details: ConsultationDetails) -> Any:
        return details.row.guidance.get("note", "")

    @staticmethod
    def get_addenda(details: ConsultationDetails) -> Sequence[Addendum]:
        return details.addenda


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
