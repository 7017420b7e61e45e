"""Reads the parameters of a list, and defines fields that several lists have: ids (also sample names), and days or instants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import Filter, FilterSet
from rest_framework.exceptions import ValidationError as Refused

from apps.common.errors import Invalid
from apps.rest import sample_ids
from apps.rest.serializers import IdField, InstantOrDayField

MAY_BE_BLANK = ("search", "q")  # an empty search box finds all
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class TimeRange:
    """A day in the clinic's time zone, or one instant: from `start` to before `end`."""

    start: datetime
    end: datetime


def read(kind: type[FilterSet], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of the filters that were sent. Raises Invalid naming each invalid one."""
    cleaned, wrong = {}, []
    for name, field in _fields_of(kind).items():  # type: ignore[arg-type]  # a class is hashable
        if name in sent:
            try:
                cleaned[name] = field.clean(field.widget.value_from_datadict(sent, {}, name))
            except ValidationError as error:
                wrong.append({"field": name, "issue": error.messages[0]})
    if wrong:
        raise Invalid(errors=wrong)
    return cleaned


def lists_of(kind: type[FilterSet]) -> set[str]:
    """Returns the parameters that may be repeated."""
    return {name for name, one in kind.base_filters.items() if isinstance(one, ChoicesFilter)}


@cache
def _fields_of(kind: type[FilterSet]) -> Mapping[str, forms.Field]:
    """Creates the fields once, because creating a form for each request costs more than the rest of reading it."""
    return {name: one.field for name, one in kind().filters.items()}


class YesNoFormField(forms.BooleanField):
    """`true` or `false` in any case, `1` or `0`. Anything else is refused; Django would treat it as missing."""

    widget = forms.TextInput
    known: ClassVar[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}

    def clean(self, value: Any) -> bool | None:
        if value is None:
            return None
        if (resolved := self.known.get(str(value).lower())) is None:
            raise ValidationError("Must be true or false.")
        return resolved


class ChoicesFormField(forms.MultipleChoiceField):
    """One or more of the choices: the parameter repeated, or its values separated by commas. The value is a list."""

    def to_python(self, value: Any) -> list[str]:
        """Returns the values in the order in which they were sent, each once; none if the parameter was not sent."""
        return list(dict.fromkeys(one.strip() for sent in value or () for one in sent.split(",")))


class IdFormField(forms.CharField):
    """A UUID, or a registered name of an id."""

    json_schema: ClassVar[dict[str, Any]] = IdField.json_schema

    def clean(self, value: Any) -> UUID | None:
        if value is None:
            return None
        resolved = sample_ids.resolve(str(value).strip())
        if resolved is None:
            raise ValidationError("Must be a UUID.")
        return resolved


class TimeRangeFormField(forms.CharField):
    """A day (`2025-01-15`, in the clinic's time zone) or an RFC 3339 instant."""

    json_schema: ClassVar[dict[str, Any]] = InstantOrDayField.json_schema

    def clean(self, value: Any) -> TimeRange | None:
        if value is None:
            return None
        text = str(value).strip()
        try:
            start = InstantOrDayField().to_internal_value(text)
        except Refused as refusal:
            raise ValidationError(str(refusal.detail[0])) from refusal  # type: ignore[index]  # one field has a list of details
        if len(text) > len("2025-01-15"):
            return TimeRange(start, start + _MICROSECOND)
        zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
        return TimeRange(start, datetime.combine(start.astimezone(zone).date() + timedelta(days=1), datetime.min.time(), zone))


class ChoicesFilter(Filter):
    """Rows with any of the values. Say so in the `help_text` without how they are sent: the OpenAPI file adds that."""

    field_class = ChoicesFormField

    def filter(self, rows: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return rows.filter(**{f"{self.field_name}__in": value}) if value else rows


class YesNoFilter(Filter):
    field_class = YesNoFormField


class IdFilter(Filter):
    field_class = IdFormField


class TimeRangeFilter(Filter):
    field_class = TimeRangeFormField
