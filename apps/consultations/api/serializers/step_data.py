"""The data of the eleven steps in the OpenAPI file, built from `steps.definitions`. They describe it; `steps.fields` reads it.

A reply has one component per step. A request has one for all steps, `StepDataBody`: no two steps share a field's name, and
OpenAPI cannot make the fields depend on `step_number` or `step_name`.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from apps.appointments.models import AppointmentType
from apps.consultations.steps import fields
from apps.consultations.steps.definitions import REQUIRED_FIELDS, SCHEMAS, Step
from apps.patients.chart.vitals import NOT_MEASURABLE, UNIT_FIELDS
from apps.rest.serializers import AnyField, StrictSerializer

SEVERITIES = ("mild", "moderate", "severe")
TEST_PRIORITIES = ("routine", "urgent", "stat")
TEMPERATURE_UNITS, WEIGHT_UNITS, HEIGHT_UNITS = ("C", "F"), ("kg", "lb"), ("cm", "in")
_COMPONENTS = {
    "symptoms": "Symptom",
    "findings": "Finding",
    "tests": "TestOrder",
    "diagnoses": "Diagnosis",
    "medications": "DrugOrder",
    "follow_up": "FollowUp",
}
_NOT_MEASURABLE = ResolvedComponent(  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
    name="NotMeasurable",
    type=ResolvedComponent.SCHEMA,
    object="NotMeasurable",
    schema={"type": "string", "enum": [NOT_MEASURABLE], "description": "The value could not be measured."},
)


class SchemaField(serializers.Field[Any, Any, Any, Any]):
    """A field that takes one of several forms, each a JSON schema, a component, or a serializer whose component is meant."""

    def __init__(self, forms: tuple[Any, ...], **about: Any) -> None:
        super().__init__(**about)
        self.forms = forms


class SchemaFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
    """Tells drf-spectacular the forms of a SchemaField."""

    target_class = SchemaField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"oneOf": [self._form(form, auto_schema, direction) for form in self.target.forms]}

    def _form(self, form: Any, auto_schema: Any, direction: Any) -> Any:
        if isinstance(form, ResolvedComponent):
            auto_schema.registry.register_on_missing(form)
            return form.ref
        return form if isinstance(form, dict) else auto_schema.resolve_serializer(form, direction).ref


def _described(  # noqa: PLR0911  # one return for each kind of field
    kind: fields.Field, name: str, about: dict[str, Any], *, sent: bool
) -> AnyField:
    """Returns the serializer field that describes a field of a step, as it is sent or as it is returned."""
    match kind:
        case fields.Text():
            return serializers.CharField(**about, max_length=kind.maximum if sent else None)
        case fields.Flag():
            return serializers.BooleanField(**about)
        case fields.Choice():
            choices = AppointmentType.choices if name == "appointment_type" else [(word, word) for word in kind.words]
            return serializers.ChoiceField(choices=choices, **about)
        case fields.Measure():
            return _measure(kind, name, about, sent=sent)
        case fields.Number():
            limits: dict[str, Any] = {"min_value": kind.minimum, "max_value": kind.maximum} if sent else {}
            return (serializers.FloatField if kind.decimals else serializers.IntegerField)(**about, **limits)
        case fields.Id():
            return serializers.UUIDField(**about)
        case fields.Day():
            return serializers.DateField(**about)
        case fields.Group():
            return _group(kind, name, about, sent=sent)
        case fields.Rows():
            return _rows(kind, name, about, sent=sent)
    raise TypeError(f"{name}: {kind} has no form in the OpenAPI file")


def _measure(kind: fields.Measure, name: str, about: dict[str, Any], *, sent: bool) -> SchemaField:
    """Describes a number or `not_measurable`. A text with its unit may be sent too, and a unit field changes the limits."""
    if not sent:
        return SchemaField(({"type": "number"}, _NOT_MEASURABLE), **about)
    limits: dict[str, Any] = (
        {"minimum": 0} if name in UNIT_FIELDS.values() else {"minimum": kind.minimum, "maximum": kind.maximum}
    )
    text = {"type": "string", "minLength": 1, "description": f"With its unit, or {NOT_MEASURABLE}"}
    return SchemaField(({"type": "number", "nullable": True, **limits}, text), **(about | {"allow_null": False}))


def _group(kind: fields.Group, name: str, about: dict[str, Any], *, sent: bool) -> AnyField:
    part = _component(_COMPONENTS[name], kind.schema, sent=sent)
    if kind.or_text is None:
        return part(**about)
    limits = {"minLength": 1, "maxLength": kind.or_text.maximum} if sent else {}
    nullable = {"nullable": True} if about.get("allow_null") else {}
    return SchemaField(({"type": "string", **limits, **nullable}, part), **(about | {"allow_null": False}))


def _rows(kind: fields.Rows, name: str, about: dict[str, Any], *, sent: bool) -> AnyField:
    item = _described(kind.item, name, {}, sent=sent)
    limits: dict[str, Any] = {"max_length": kind.maximum} if sent else {}
    if isinstance(item, serializers.Serializer):
        return type(item)(many=True, **about, **limits)
    return serializers.ListField(child=item, **about, **limits)


class EnteredValueShape(serializers.Serializer[dict[str, Any]]):
    """A value as it was entered, in another unit than the one it is stored in."""

    value = serializers.FloatField()
    unit = serializers.CharField()


class EnteredShape(serializers.Serializer[dict[str, Any]]):
    """The vital signs that were entered in other units. What a reply shows may be sent back."""

    temperature_c = EnteredValueShape(required=False)
    weight_kg = EnteredValueShape(required=False)
    height_cm = EnteredValueShape(required=False)


_ENTERED = {"entered": EnteredShape(required=False)}


def content(step: Step) -> type[serializers.Serializer[Any]]:
    """Returns the component of a step's data in a reply, such as `VitalsContent`."""
    name = "".join(word.capitalize() for word in step.wire_name.split("_"))
    further = _ENTERED if step is Step.VITALS else {}
    return _component(f"{name}Content", SCHEMAS[step], sent=False, about=f"The data of the step {step.wire_name}.", **further)


def sent_content() -> type[serializers.Serializer[Any]]:
    """Returns the component of the data of any step in a request."""
    schema = {name: field for step in Step for name, field in SCHEMAS[step].items()}
    lines = [f"{int(step)} {step.wire_name}: {_names_of(step)}" for step in Step]
    about = "The fields of the saved step, and of no other; * is required to complete it. " + "; ".join(lines) + "."
    return _component("StepData", schema, sent=True, about=about, **_ENTERED)


def _names_of(step: Step) -> str:
    required = REQUIRED_FIELDS.get(step, ())
    return ", ".join(f"`{name}`{'*' if name in required else ''}" for name in SCHEMAS[step]) or "none"


_BUILT: dict[str, type[serializers.Serializer[Any]]] = {}


def _component(
    stem: str, schema: Mapping[str, fields.Field], *, sent: bool, about: str = "", **further: AnyField
) -> type[serializers.Serializer[Any]]:
    """Returns the one class of this name: drf-spectacular refuses two classes with one name."""
    name = f"{stem}Body" if sent else f"{stem}Shape"
    if name not in _BUILT:
        parts: dict[str, Any] = {"__doc__": about or None, "__module__": __name__, **further}
        for one, kind in schema.items():
            optional = {"required": kind.required} | ({"allow_null": True} if sent and not kind.required else {})
            text = {"help_text": kind.description} if kind.description else {}
            parts[one] = _described(kind, one, optional | text, sent=sent)
        _BUILT[name] = type(name, (StrictSerializer if sent else serializers.Serializer,), parts)
    return _BUILT[name]
