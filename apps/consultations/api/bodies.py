"""What is sent: a visit to begin, a step to save, a visit to sign, to let wait, to hand over."""

from typing import Any

from rest_framework import serializers

from apps.consultations import rules, steps
from apps.consultations.models import WORKFLOWS
from apps.consultations.ports import Acknowledged
from apps.consultations.steps import BY_WORD, SCHEMAS, TO_COMPLETE, TOTAL, Step
from apps.rest.serializers import IdField, StrictSerializer


def _reason(about: str) -> serializers.CharField:
    return serializers.CharField(max_length=400, required=False, allow_blank=True, help_text=about)


class StartBody(StrictSerializer):
    patient_id = IdField()
    appointment_id = IdField(required=False, allow_null=True, help_text="Without one somebody walked in")
    workflow_type = serializers.ChoiceField(choices=WORKFLOWS, default=rules.Workflow.ADAPTIVE.value)
    doctor_id = IdField(
        required=False,
        allow_null=True,
        help_text="Not for doctors, who start their own. Whoever starts a visit for somebody who walked in names the doctor",
    )
    early = serializers.BooleanField(
        required=False, default=False, help_text="Allow an appointment of another day than today, past or future"
    )


class AcknowledgedAlertBody(StrictSerializer):
    id = serializers.CharField(max_length=64, help_text="The alert's `id`, or its `rule_id`")
    reason = serializers.CharField(max_length=400, help_text="Is kept")

    def validate(self, attrs: dict[str, Any]) -> Any:
        return Acknowledged(**attrs)


def _alerts() -> serializers.ListField:
    return serializers.ListField(child=AcknowledgedAlertBody(), required=False, max_length=100)


def _names() -> str:
    """The fields of each step, for the reader of the OpenAPI file."""
    told = []
    for step, schema in SCHEMAS.items():
        names = [f"`{name}`{'*' if name in TO_COMPLETE.get(step, ()) else ''}" for name in schema]
        told.append(f"{int(step)} {step.word}: {', '.join(names) or 'none'}")
    return "By step (* required to complete it): " + "; ".join(told)


class StepBody(StrictSerializer):
    """What is absent in `step_data` stays as it is stored, null clears. Name the step by number, by name, or by both."""

    step_number = serializers.IntegerField(min_value=0, max_value=TOTAL - 1, required=False)
    step_name = serializers.ChoiceField(choices=[(step.word, step.word) for step in Step], required=False)
    step_data = serializers.DictField(help_text=_names())
    completed = serializers.BooleanField(
        required=False, help_text="Default: whether all is there that the step requires; false keeps it in progress"
    )
    version = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The step's version as you saw it (0: not saved yet). Another one stored now is a 409 that shows it",
    )
    acknowledged_alerts = _alerts()
    confirmed_implausible = serializers.BooleanField(required=False, help_text="The same as within the step data of vitals")

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The arguments of `services.NewSave`."""
        number, name = asked.get("step_number"), asked.get("step_name")
        if number is None and name is None:
            raise serializers.ValidationError({"step_number": "Say which step: step_number or step_name."})
        step = Step(number) if number is not None else BY_WORD[str(name)]
        if name is not None and BY_WORD[name] is not step:
            raise serializers.ValidationError({"step_name": f"Step {int(step)} is called {step.word}; send one of the two."})
        data = dict(asked["step_data"])
        if "confirmed_implausible" in asked and step is Step.VITALS:
            data.setdefault("confirmed_implausible", asked["confirmed_implausible"])
        save = {"step": step, "data": data, "acknowledged": asked.get("acknowledged_alerts", [])}
        return save | {kept: asked[kept] for kept in ("completed", "version") if kept in asked}


class CompleteBody(StrictSerializer):
    override_incomplete = serializers.BooleanField(required=False, help_text="Sign although something is missing; with a reason")
    reason = _reason("Why something is missing; is kept")
    acknowledged_alerts = _alerts()
    notify_patient = serializers.BooleanField(default=True)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The arguments of `services.complete`."""
        told = dict(asked)
        acknowledged = told.pop("acknowledged_alerts", [])
        return told | {"acknowledged": acknowledged}


class AddendumBody(StrictSerializer):
    text = serializers.CharField(max_length=steps.fields.Text().most)


class ReasonBody(StrictSerializer):
    reason = _reason("Is kept")


class HandOverBody(StrictSerializer):
    doctor_id = IdField(help_text="Who goes on")
    reason = _reason("Is kept")


class NothingBody(StrictSerializer):
    """Nothing need be said."""
