"""Parses a patient's body, flat (as the reference's registration) or nested (as its detail), into flat columns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework import serializers

from apps.common import clock
from apps.patients import rules
from apps.patients.api.serializers.details import DetailField
from apps.patients.chart import dates, entry_types
from apps.patients.chart.dates import PartialDate, Precision
from apps.patients.models import Gender
from apps.rest.serializers import (
    INSTANT,
    ClockField,
    EmailAddressField,
    IdField,
    InstantField,
    InstantOrDayField,
    LineField,
    NameField,
    StrictSerializer,
)

# The place of each column in the body. A name may occur in more than one place; all places must then agree.
_ADDRESS = {name: name for name in ("street", "city", "state", "zip", "country")}
_EMERGENCY = {"name": "emergency_name", "relationship": "emergency_relationship", "phone": "emergency_phone"}
_INSURANCE = {
    "provider": "insurance_provider",
    "policy_number": "insurance_policy_number",
    "group_number": "insurance_group_number",
}
_PERSON = {
    name: name
    for name in (
        *("first_name", "middle_name", "last_name", "date_of_birth", "date_of_birth_precision", "time_of_birth"),
        *("gender", "language", "deceased_at"),
    )
}
_CONTACT: dict[str, Any] = {"phone": "phone", "email": "email", "address": _ADDRESS}
PLACES: dict[str, Any] = {
    "mrn": "mrn",
    **_PERSON,
    **_CONTACT,
    "demographics": _PERSON,
    "contact": _CONTACT,
    "emergency_contact": _EMERGENCY,
    "insurance": _INSURANCE,
}
REGISTRATION: dict[str, Any] = PLACES | {"age": "age"}


def _text(size: int) -> serializers.CharField:
    return LineField(max_length=size, required=False, allow_blank=True)


class BirthDateField(serializers.CharField):
    """A date of birth as exactly as it is known: `1980-05-15`, `1980-05` or `1980`."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": f"^{dates.PATTERN}$"}

    default_error_messages = {"invalid": dates.WRITE_IT_AS}

    def to_internal_value(self, data: Any) -> PartialDate:  # type: ignore[override]  # it reads another type than the parent field
        try:
            return dates.partial(data if isinstance(data, str) else "")
        except ValueError:
            self.fail("invalid")


class PatientColumns(StrictSerializer):
    """The writable columns, by their flat names."""

    mrn = serializers.RegexField(
        rf"^{rules.MRN_SHAPE.pattern}\Z",
        required=False,
        error_messages={"invalid": "An MRN has 1 to 40 letters, digits and dashes."},
    )
    first_name = NameField(max_length=100, allow_blank=True, help_text="Either first_name or last_name may be empty")
    middle_name = _text(100)
    last_name = NameField(max_length=100, allow_blank=True, help_text="Either first_name or last_name may be empty")
    date_of_birth = BirthDateField(help_text="As exactly as it is known: YYYY-MM-DD, YYYY-MM or YYYY")
    date_of_birth_precision = serializers.ChoiceField(
        choices=list(Precision), required=False, help_text="The precision of a whole date; it follows from the sent value"
    )
    time_of_birth = ClockField(
        required=False,
        allow_null=True,
        help_text="By the clinic's clock, like 14:05; with a whole date of birth",
    )
    age = serializers.IntegerField(
        min_value=0,
        max_value=dates.OLDEST_AGE,
        required=False,
        help_text="Completed years, instead of date_of_birth if that is not known: the birth is then estimated",
    )
    gender = serializers.ChoiceField(choices=Gender.choices)
    language = _text(10)
    deceased_at = InstantField(required=False, allow_null=True)
    phone = _text(40)
    email = EmailAddressField(max_length=254, required=False, allow_blank=True)
    street = _text(200)
    city = _text(100)
    state = _text(50)
    zip = _text(20)
    country = _text(60)
    emergency_name = _text(200)
    emergency_relationship = _text(50)
    emergency_phone = _text(40)
    insurance_provider = _text(100)
    insurance_policy_number = _text(50)
    insurance_group_number = _text(50)

    def validate_date_of_birth(self, birth: PartialDate) -> PartialDate:
        if problem := rules.birth_problem(birth.first, clock.today()):
            raise serializers.ValidationError(problem)
        return birth

    def validate_deceased_at(self, died: Any) -> Any:
        if died and (problem := rules.death_problem(died, None, clock.now(), ZoneInfo(settings.CLINIC_TIME_ZONE))):
            raise serializers.ValidationError(problem)
        return died

    def validate(self, columns: dict[str, Any]) -> dict[str, Any]:
        if columns.get("first_name") == columns.get("last_name") == "":
            raise serializers.ValidationError({"last_name": rules.UNNAMED})
        if (age := columns.pop("age", None)) is not None:
            if "date_of_birth" in columns:
                raise serializers.ValidationError({"age": "Send the date of birth or the age, not both."})
            columns["date_of_birth"] = dates.born_by_age(age, clock.today())
        born: PartialDate | None = columns.pop("date_of_birth", None)
        return columns if born is None else columns | _birth(born, columns.get("date_of_birth_precision"))

    def validate_phone(self, phone: str) -> str:
        if phone and not 3 <= len(rules.digits(phone)) <= 20:
            raise serializers.ValidationError("A telephone number has 3 to 20 digits.")
        return phone

    validate_emergency_phone = validate_phone


def _birth(born: PartialDate, stated: str | None) -> dict[str, Any]:
    """Returns the columns of a birth. A whole date without its precision leaves that to the service; a partial date determines
    it."""
    if born.precision == Precision.DAY:
        return {"date_of_birth": born.first}
    if stated not in (None, born.precision) and (born.precision, stated) != (Precision.YEAR, Precision.ESTIMATED):
        raise serializers.ValidationError({"date_of_birth_precision": f"The date sent is known to the {born.precision}."})
    return {"date_of_birth": born.first, "date_of_birth_precision": stated or born.precision}


def _documented(key: str, places: Mapping[str, Any], about: str | None = None) -> type[StrictSerializer]:
    """Returns the body under `key` for the OpenAPI file: every name it may have, none of them required by itself."""
    columns = PatientColumns().fields
    fields: dict[str, Any] = {"__doc__": about, "__module__": __name__}
    for name, place in places.items():
        if isinstance(place, str):
            field = columns[place]
            clearable = field.allow_null or (getattr(field, "allow_blank", False) and not isinstance(field, NameField))
            fields[name] = _again(field, required=False, allow_null=clearable)
        else:
            may_be_cleared = name != "demographics"  # a name, a birth and a gender cannot be
            fields[name] = _NESTED.setdefault(name, _documented(name, place))(required=False, allow_null=may_be_cleared)
    return type("".join(word.capitalize() for word in key.split("_")) + "Body", (StrictSerializer,), fields)


def _again(field: Any, **changes: Any) -> Any:
    """Returns the same field with other arguments, as DRF itself copies fields."""
    return type(field)(*field._args, **(field._kwargs | changes))


_NESTED: dict[str, type[StrictSerializer]] = {}
_EITHER_WAY = "Send each value flat or in its object; if you send both, they must agree."


class PatientBody(serializers.Serializer[None]):
    """Maps `PLACES` to `PatientColumns`; errors name the fields as the caller sent them. `partial` for a merge-patch."""

    places: Mapping[str, Any] = REGISTRATION
    documented_as = _documented(
        "patient",
        REGISTRATION,
        "Required are first_name, last_name (one of the two may be empty), date_of_birth or age, and gender. "
        f"{_EITHER_WAY} Without `mrn` the next is issued.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("The body must be a JSON object.")
        flat, sent_as = _flatten(data, self.places)
        if not self.partial and flat.get("mrn", "") is None:
            del flat["mrn"]  # null at registration: no own number, the server issues one
        columns = PatientColumns(data=flat, partial=self.partial)
        if "age" in flat:
            columns.fields["date_of_birth"].required = False
        if columns.is_valid():
            return dict(columns.validated_data)
        raise serializers.ValidationError({sent_as.get(name, name): issues for name, issues in columns.errors.items()})


class AmendBody(PatientBody):
    """The same with everything optional: absent fields stay unchanged, null clears."""

    places = PLACES
    documented_as = _documented(
        "amend_patient", PLACES, f"Absent fields stay unchanged, null clears. {_EITHER_WAY} An `mrn` never changes."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, partial=True)


def _flatten(data: Mapping[str, Any], places: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns column values, and the path of each. Raises ValidationError for unknown names and for places that differ."""
    flat: dict[str, Any] = {}
    sent_as: dict[str, str] = {}
    for path, column, value in _leaves(data, places, ""):
        if column in flat and flat[column] != value:
            raise serializers.ValidationError({path: [f"Differs from {sent_as[column]}; send it once."]})
        flat[column], sent_as[column] = value, path
    return flat, sent_as


def _leaves(data: Mapping[str, Any], places: Mapping[str, Any], prefix: str) -> list[tuple[str, str, Any]]:
    leaves: list[tuple[str, str, Any]] = []
    for name, value in data.items():
        path, place = prefix + name, places.get(name)
        if place is None:
            raise serializers.ValidationError({path: ["Unknown field."]})
        if isinstance(place, str):
            leaves.append((path, place, _cleared(place) if value is None else value))
        elif value is None:
            leaves += _leaves(dict.fromkeys(place), place, path + ".")
        elif isinstance(value, Mapping):
            leaves += _leaves(value, place, path + ".")
        else:
            raise serializers.ValidationError({path: ["Must be an object."]})
    return leaves


def _cleared(column: str) -> Any:
    """Returns the value for null: empty text; for a column that cannot be empty, null itself, which the column then refuses."""
    field = PatientColumns().fields[column]
    return "" if getattr(field, "allow_blank", False) and not isinstance(field, NameField) else None


_WHEN = "As exactly as it is known: an RFC 3339 time with its offset, YYYY-MM-DD, YYYY-MM or YYYY. Returned as sent"


class WhenField(InstantOrDayField):
    """A point in time, or a date to the day, month or year."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": f"^({dates.PATTERN}|{INSTANT})$"}

    default_error_messages = {"invalid": f"{dates.WRITE_IT_AS} Write a time as RFC 3339 with its offset."}

    def to_internal_value(self, value: Any) -> datetime | PartialDate:  # type: ignore[override]  # it reads another type than the parent field
        if isinstance(value, str) and len(value) <= len("2025-01-15"):
            try:
                return dates.partial(value)
            except ValueError:
                self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class EntryBody(StrictSerializer):
    """A chart entry recorded by hand."""

    type = serializers.ChoiceField(choices=[kind.value for kind in entry_types.EntryType])
    code_system = serializers.ChoiceField(
        choices=[system.value for system in entry_types.CodeSystem], required=False, allow_blank=True
    )
    code = _text(40)
    display = LineField(max_length=400, required=False)
    status = _text(20)
    occurred_at = WhenField(required=False, help_text=_WHEN)
    ended_at = WhenField(required=False, allow_null=True, help_text=_WHEN)
    value = serializers.DecimalField(max_digits=20, decimal_places=8, required=False, allow_null=True)
    unit = _text(40)
    detail = DetailField(required=False)
    confirmed_implausible = serializers.BooleanField(
        required=False, help_text="Confirms that an implausible vital sign was rechecked and is correct"
    )
    no_known_allergies = serializers.BooleanField(
        required=False, help_text="With type allergy alone: the patient was asked and has none"
    )

    def validate(self, entry: dict[str, Any]) -> dict[str, Any]:
        if entry.pop("no_known_allergies", False):
            if set(entry) != {"type"} or entry["type"] != entry_types.EntryType.ALLERGY:
                raise serializers.ValidationError({"no_known_allergies": "Send it with type allergy and nothing else."})
            return {}
        if "confirmed_implausible" in entry and entry["type"] != entry_types.EntryType.VITAL_SIGN:
            raise serializers.ValidationError({"confirmed_implausible": "Only vital signs can be confirmed. Leave it out."})
        if "display" not in entry:
            raise serializers.ValidationError({"display": "Enter a description."})
        for name in ("occurred", "ended"):
            if isinstance(when := entry.get(f"{name}_at"), PartialDate):
                entry |= {f"{name}_at": None, f"{name}_on": str(when)}
        return entry


class RetractBody(StrictSerializer):
    reason = serializers.CharField(max_length=400)


class NotSameBody(StrictSerializer):
    other_id = IdField(help_text="The id of the other person's record")
