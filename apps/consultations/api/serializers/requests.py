"""Request bodies of consultations: start, save a step, sign, put on hold, hand over."""

from typing import Any

from rest_framework import serializers

from apps.consultations import rules
from apps.consultations.api.serializers import step_data
from apps.consultations.models import WORKFLOWS
from apps.consultations.steps.definitions import STEP_COUNT, STEPS_BY_NAME, Step
from apps.consultations.steps.fields import Text
from apps.consultations.steps.ports import Acknowledged
from apps.rest.serializers import IdField, StrictSerializer


def _reason(about: str) -> serializers.CharField:
    return serializers.CharField(max_length=400, required=False, allow_blank=True, help_text=about)


class StartBody(StrictSerializer):
    patient_id = IdField()
    appointment_id = IdField(required=False, allow_null=True, help_text="Without it, the patient is a walk-in")
    workflow_type = serializers.ChoiceField(choices=WORKFLOWS, default=rules.Workflow.ADAPTIVE.value)
    doctor_id = IdField(
        required=False,
        allow_null=True,
        help_text="Not for doctors, who start their own. Staff who start a consultation for a walk-in send the doctor",
    )
    early = serializers.BooleanField(
        required=False, default=False, help_text="Allow an appointment of another day than today, past or future"
    )


class AcknowledgedAlertBody(StrictSerializer):
    id = serializers.CharField(max_length=64, help_text="The alert's `id`, or its `rule_id`")
    reason = serializers.CharField(max_length=400, help_text="Stored with the consultation")

    def validate(self, attrs: dict[str, Any]) -> Any:
        return Acknowledged(**attrs)


def _alerts() -> serializers.ListField:
    return serializers.ListField(child=AcknowledgedAlertBody(), required=False, max_length=100)


class StepDataField(serializers.DictField):
    """The data of a step, which `steps.fields` reads; the OpenAPI file lists the fields."""

    documented_as = step_data.sent_content()


class StepBody(StrictSerializer):
    """Absent fields of `step_data` stay unchanged, null clears. Name the step by number, by name, or by both."""

    step_number = serializers.IntegerField(min_value=0, max_value=STEP_COUNT - 1, required=False)
    step_name = serializers.ChoiceField(choices=[(step.wire_name, step.wire_name) for step in Step], required=False)
    step_data = StepDataField()
    completed = serializers.BooleanField(
        required=False, help_text="Default: true if everything that the step requires is present; false keeps it in progress"
    )
    version = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The step's version that you read (0: not saved yet). If another version is stored now, the reply is "
        "a 409 that shows it",
    )
    acknowledged_alerts = _alerts()
    confirmed_implausible = serializers.BooleanField(required=False, help_text="The same as within the step data of vitals")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of `services.NewSave`."""
        number, name = attrs.get("step_number"), attrs.get("step_name")
        if number is None and name is None:
            raise serializers.ValidationError({"step_number": "Send step_number or step_name."})
        step = Step(number) if number is not None else STEPS_BY_NAME[str(name)]
        if name is not None and STEPS_BY_NAME[name] is not step:
            raise serializers.ValidationError(
                {"step_name": f"Step {int(step)} is named {step.wire_name}; send only one of the two."}
            )
        data = dict(attrs["step_data"])
        if "confirmed_implausible" in attrs and step is Step.VITALS:
            data.setdefault("confirmed_implausible", attrs["confirmed_implausible"])
        save = {"step": step, "data": data, "acknowledged": attrs.get("acknowledged_alerts", [])}
        return save | {kept: attrs[kept] for kept in ("completed", "version") if kept in attrs}


class CompleteBody(StrictSerializer):
    override_incomplete = serializers.BooleanField(required=False, help_text="Sign with missing steps; requires a reason")
    reason = _reason("Reason for signing with missing steps; stored with the consultation")
    acknowledged_alerts = _alerts()
    notify_patient = serializers.BooleanField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of `services.complete`."""
        arguments = dict(attrs)
        acknowledged = arguments.pop("acknowledged_alerts", [])
        return arguments | {"acknowledged": acknowledged}


class AddendumBody(StrictSerializer):
    text = serializers.CharField(max_length=Text().maximum)


class ReasonBody(StrictSerializer):
    reason = _reason("Stored with the consultation")


class HandOverBody(StrictSerializer):
    doctor_id = IdField(help_text="The doctor who continues")
    reason = _reason("Stored with the consultation")


class NothingBody(StrictSerializer):
    """An empty body."""
