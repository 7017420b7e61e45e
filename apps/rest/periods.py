"""`date_from` and `date_to` in an address: a day in the clinic's time zone, or an instant; the period includes both."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django_filters import Filter
from rest_framework.exceptions import ValidationError

from apps.common.errors import Invalid
from apps.rest.serializers import DAY, INSTANT, InstantField

_DAY = re.compile(DAY)


class _Edge(forms.CharField):
    """Returns the first instant of the period, or the first after it."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": f"^({DAY}|{INSTANT})$"}

    def __init__(self, *, closes: bool = False, **more: Any) -> None:
        super().__init__(max_length=40, **more)
        self.closes = closes

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            if _DAY.fullmatch(text):
                day = date.fromisoformat(text) + timedelta(days=int(self.closes))
                return datetime.combine(day, time(), ZoneInfo(settings.CLINIC_TIME_ZONE))
            return InstantField().to_internal_value(text) + timedelta(microseconds=int(self.closes))
        except (ValueError, OverflowError, ValidationError) as error:
            raise forms.ValidationError(
                "Write a day as YYYY-MM-DD, or a time as RFC 3339 with its offset, like 2025-01-15T10:00:00Z."
            ) from error


class Since(Filter):
    """The first day or instant of a period."""

    field_class = _Edge

    def __init__(self, **more: Any) -> None:
        super().__init__(help_text="A day (clinic time) or an RFC 3339 instant; included", **more)


class Until(Filter):
    """The last day or instant of a period; read as the first instant after it."""

    field_class = _Edge

    def __init__(self, **more: Any) -> None:
        super().__init__(help_text="A day (clinic time) or an RFC 3339 instant; included", closes=True, **more)


def check(since: datetime | None, until: datetime | None) -> None:
    """Raises Invalid for a period that ends before it begins."""
    if since and until and since >= until:
        raise Invalid(field="date_to", issue="Must not be before date_from.")
