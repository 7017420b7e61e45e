"""The details of a chart entry in the OpenAPI file, built from `entry_types.DETAILS`. They describe it; `read_detail` reads it.

One component has the fields of all kinds of entry: no two kinds give one name two meanings, and OpenAPI cannot make the fields
depend on `type`, which is outside `detail`.
"""

import dataclasses
from typing import Any, get_args, get_type_hints

from rest_framework import serializers

from apps.patients.chart import entry_types
from apps.rest.serializers import AnyField, StrictSerializer


def _words(kind: type[Any], name: str) -> tuple[str, ...]:
    """Returns the choices of a detail, without the blank that means none."""
    return tuple(word for word in get_args(get_type_hints(kind)[name]) if word)


CATEGORIES = _words(entry_types.AllergyDetail, "category")
KINDS_OF_REACTION = _words(entry_types.AllergyDetail, "kind")
CRITICALITIES = _words(entry_types.AllergyDetail, "criticality")
CERTAINTIES = _words(entry_types.AllergyDetail, "certainty")
FLAGS = _words(entry_types.MeasurementDetail, "flag")


def _field(hint: Any, types: list[str], *, sent: bool) -> AnyField:
    about: dict[str, Any] = {"required": False, "help_text": f"Of {', '.join(types)}"}
    if hint == int | None:
        return serializers.IntegerField(min_value=1, max_value=999, allow_null=sent, **about)
    if hint is str:
        return serializers.CharField(allow_blank=sent, max_length=entry_types.TEXT_MAX if sent else None, **about)
    return serializers.ChoiceField(choices=[word for word in get_args(hint) if word], allow_blank=sent, **about)


def _fields(*, sent: bool) -> dict[str, AnyField]:
    hints: dict[str, Any] = {}
    types: dict[str, list[str]] = {}
    for entry_type, kind in entry_types.DETAILS.items():
        for field in dataclasses.fields(kind):
            hints[field.name] = get_type_hints(kind)[field.name]
            types.setdefault(field.name, []).append(entry_type.value)
    return {name: _field(hint, types[name], sent=sent) for name, hint in hints.items()}


DetailBody: type[StrictSerializer] = type(
    "DetailBody",
    (StrictSerializer,),
    {**_fields(sent=True), "__doc__": "The fields of the entry's `type`, and of no other.", "__module__": __name__},
)
DetailShape: type[serializers.Serializer[Any]] = type(
    "DetailShape",
    (serializers.Serializer,),
    {
        **_fields(sent=False),
        "value": serializers.FloatField(required=False, help_text="The number of a lab_result or vital_sign"),
        "unit": serializers.CharField(required=False, help_text="The unit of `value`"),
        "retraction_reason": serializers.CharField(required=False, help_text="Why the entry was marked as entered in error"),
        "__doc__": "What the entry's `type` has in addition.",
        "__module__": __name__,
    },
)


class DetailField(serializers.DictField):
    """The details of an entry to record, which `entry_types.read_detail` reads; the OpenAPI file lists the fields."""

    documented_as = DetailBody
