"""Query parameters of the code systems."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import CharFilter, Filter, FilterSet

from apps.rest.filters import YesNoFilter
from apps.terminology import rules
from apps.terminology.models import IcdCode


class DayFormField(forms.DateField):
    """A date of service, in ISO 8601 only."""

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            return date.fromisoformat(value) if len(value) == len("2025-01-15") else _refuse()
        except ValueError:
            return _refuse()


class DayFilter(Filter):
    field_class = DayFormField


class IcdCodeFilter(FilterSet):
    search = CharFilter(
        method="as_declared",
        max_length=rules.QUERY_MAX,
        help_text="Beginnings of words in any order, an everyday term, or the beginning of a code with or without its dot",
    )
    date = DayFilter(method="as_declared", help_text="The date of service on which the code must be valid; today if left out")
    billable = YesNoFilter(
        method="as_declared", help_text="`true`: only codes that are valid on a claim; `false`: only the headers above them"
    )

    class Meta:
        model = IcdCode
        fields: list[str] = []

    def as_declared(self, rows: QuerySet[IcdCode], name: str, value: Any) -> QuerySet[IcdCode]:
        """Returns the queryset unfiltered: the selector searches; this class declares and checks the parameters."""
        return rows


def _refuse() -> date:
    raise ValidationError("Write a day as YYYY-MM-DD, like 2025-01-15.")
