"""Base classes for request bodies: unknown fields are refused by name.

A field with a form of its own declares it in `json_schema`: the keywords of the OpenAPI file in place of the parent's `format`.
"""

import copy
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from apps.common import emails, text
from apps.rest import sample_ids

# The JSON types that a field takes, and the refusal of any other. DRF would read "off" as false, and a number as a text.
_TYPES: tuple[tuple[Any, tuple[type, ...], str], ...] = (
    (serializers.BooleanField, (bool,), "Must be true or false."),
    (serializers.IntegerField, (int, Decimal), "Must be a whole number, without quotes."),
    ((serializers.DecimalField, serializers.FloatField), (int, Decimal, float), "Must be a number, without quotes."),
    ((serializers.CharField, serializers.ChoiceField, serializers.UUIDField), (str,), "Must be text in quotes."),
)
_MONTH_AND_DAY = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
FIRST_YEAR, LAST_YEAR = 1850, 2200  # of an instant: any other year is a slip
_YEAR_OF_INSTANT = "(18[5-9][0-9]|19[0-9]{2}|2[01][0-9]{2}|2200)"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
DAY = f"[0-9]{{4}}-{_MONTH_AND_DAY}"  # RFC 3339, full-date
TIME_OF_DAY = "([01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT = f"{_YEAR_OF_INSTANT}-{_MONTH_AND_DAY}[Tt ]{TIME_OF_DAY}(:[0-5][0-9](\\.[0-9]+)?)?{_OFFSET}"  # RFC 3339, date-time
_DATE = re.compile(DAY)
_INSTANT = re.compile(INSTANT)
_TIME_OF_DAY = re.compile(TIME_OF_DAY)


AnyField = serializers.Field[Any, Any, Any, Any]
_WITH_CHILDREN = (serializers.BaseSerializer, serializers.ListField, serializers.DictField, serializers.ManyRelatedField)


def type_problem(field: AnyField, value: Any) -> Any:
    """Returns the refusal of a JSON value whose type the field does not take, else None. Of a list: the refusals by position."""
    if value is None:
        return None
    if isinstance(field, serializers.ListField):
        problems = (
            {place: problem for place, one in enumerate(value) if (problem := type_problem(field.child, one))}
            if isinstance(value, list)
            else None
        )
        return problems or None
    if isinstance(field, serializers.DateField):
        return None if isinstance(value, str) and _DATE.fullmatch(value) else "Write the date as YYYY-MM-DD, like 2025-01-15."
    for kinds, types, problem in _TYPES:
        if isinstance(field, kinds):
            fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            return None if fits else problem
    return None


class StrictSerializer(serializers.Serializer[None]):
    """A body whose fields are all known, and whose values have the JSON type that the OpenAPI file states.

    It reports all errors at once: unknown fields, wrong types and invalid values.
    """

    def get_fields(self) -> dict[str, AnyField]:
        """Returns copies of the declared fields. DRF makes each of them anew from its arguments, which took a tenth of a booking.

        A field with fields of its own is made anew, because these refer to it.
        """
        return {
            name: copy.deepcopy(field) if isinstance(field, _WITH_CHILDREN) else copy.copy(field)
            for name, field in self._declared_fields.items()
        }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        wrong: dict[str, Any] = {name: ["Unknown field."] for name in data if name not in self.fields}
        wrong |= {
            name: problem if isinstance(problem, dict) else [problem]
            for name, field in self.fields.items()
            if name in data and not field.read_only and (problem := type_problem(field, data[name]))
        }
        if not wrong:
            return super().to_internal_value(data)
        try:
            super().to_internal_value({name: value for name, value in data.items() if name not in wrong})
        except serializers.ValidationError as error:
            missing = {name for name in wrong if name in self.fields}
            wrong |= {name: issue for name, issue in cast("dict[str, Any]", error.detail).items() if name not in missing}
        raise serializers.ValidationError(wrong)


class OnceField(serializers.CharField):
    """A secret in a reply that is shown once. A reply with such a field is never stored for an Idempotency-Key."""


class LineField(serializers.CharField):
    """A name or another one-line text, as `text.clean_line` returns it. Text that only looks blank is refused."""

    default_error_messages = {"looks_blank": text.LOOKS_BLANK}

    def to_internal_value(self, data: Any) -> str:
        try:
            return text.clean_line(super().to_internal_value(data))
        except text.LooksBlank:
            self.fail("looks_blank")


class NameField(LineField):
    """A first or last name. One of the two may be empty. A text of blanks only is refused."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and data and not data.strip():
            self.fail("blank")
        return super().run_validation(data)


class EmailAddressField(serializers.CharField):
    """An e-mail address; its local part may be in any script (RFC 6531)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(emails.validate_email)

    def to_internal_value(self, data: Any) -> str:
        return emails.normal(super().to_internal_value(data))


class ClockField(serializers.TimeField):
    """A time of day in the clinic's time zone, HH:MM."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": f"^{TIME_OF_DAY}$"}
    default_error_messages = {"invalid": "Write the time as HH:MM, like 14:05."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **kwargs)

    def to_internal_value(self, value: Any) -> time:
        if not (isinstance(value, str) and _TIME_OF_DAY.fullmatch(value)):
            self.fail("invalid", format="HH:MM")
        return super().to_internal_value(value)


class IdField(serializers.UUIDField):
    """A UUID, or a registered name of an id (`patient_001` in the sandbox)."""

    json_schema: ClassVar[dict[str, Any]] = {
        "minLength": 1,
        "maxLength": 64,
        "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-z]+_[0-9]{3})$",
    }

    def to_internal_value(self, data: Any) -> UUID:
        resolved = sample_ids.resolve(data) if isinstance(data, str) else None
        return resolved or super().to_internal_value(data)


def instant(text: str) -> datetime | None:
    """Returns the instant that a text names, in UTC; None for any other text."""
    try:
        moment = parse_datetime(text.upper()) if _INSTANT.fullmatch(text) else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment is not None else None


def is_plausible(day: date) -> bool:
    """Returns whether the day is in a year that the API takes. The days around it are in the calendar in every time zone."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


class InstantField(serializers.DateTimeField):
    """An RFC 3339 instant with its offset, in a year from 1850 to 2200. A time without an offset is ambiguous and is refused."""

    default_error_messages = {"invalid": "Write the time as RFC 3339 with its offset, like 2025-01-15T10:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        moment = instant(value) if isinstance(value, str) else None
        if moment is None:
            self.fail("invalid", format="RFC 3339")
        return moment


class InstantOrDayField(InstantField):
    """An instant, or a day, which begins in the clinic's time zone; in a year from 1850 to 2200."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": f"^({_YEAR_OF_INSTANT}-{_MONTH_AND_DAY}|{INSTANT})$"}

    default_error_messages = {
        "invalid": "Write a day as YYYY-MM-DD, or a time as RFC 3339 with its offset, in a year from 1850 to 2200."
    }

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                self.fail("invalid", format="YYYY-MM-DD")
            if not is_plausible(day):
                self.fail("invalid", format="YYYY-MM-DD")
            return datetime.combine(day, time(), ZoneInfo(settings.CLINIC_TIME_ZONE)).astimezone(UTC)
        return super().to_internal_value(value)
