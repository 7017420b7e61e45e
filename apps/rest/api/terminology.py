"""The API of code systems: searching a diagnosis by its words or the beginning of its code."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import CharFilter, Filter, FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.common import clock
from apps.rest import paging
from apps.rest.endpoint import Example, endpoint
from apps.rest.filters import YesNoFilter
from apps.rest.viewsets import HimsViewSet
from apps.terminology import rules, selectors
from apps.terminology.models import IcdCode

_ROWS = [
    {"code": "E11.9", "display": "Type 2 diabetes mellitus without complications", "billable": True},
    {"code": "E11", "display": "Type 2 diabetes mellitus", "billable": False},
]
_FOUND = Example(
    reply={
        "success": True,
        "data": {"codes": _ROWS, "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1}, "fuzzy": True},
    }
)


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

    def as_declared(self, rows: QuerySet, name: str, value: Any) -> QuerySet:
        """Returns the queryset unfiltered: the selector searches; this class declares and checks the parameters."""
        return rows


class IcdCodeShape(serializers.ModelSerializer):
    """A code of ICD-10-CM. A header (`billable` false) groups the codes below it and is not valid on a claim."""

    class Meta:
        model = IcdCode
        fields = ("code", "display", "billable")


class IcdCodeViewSet(HimsViewSet):
    """ICD-10-CM, the code system of diagnoses."""

    resource = "icd10"
    plural = "codes"
    tag = "Terminology"
    extra = {"fuzzy": {"type": "boolean", "description": "True if nothing matched and codes of similar spellings are shown"}}

    @endpoint(
        permission=Permission.TERMINOLOGY_READ,
        query=IcdCodeFilter,
        response=IcdCodeShape,
        operation_id="searchIcd10",
        example=_FOUND,
    )
    def list(self, request: Request) -> Response:
        """Search the codes of diagnoses (ICD-10-CM).

        Everyday words, abbreviations and British spellings are understood (`heart attack`, `COPD`, `anaemia`), and a misspelt
        word is read as the most similar one; `fuzzy` is then true. Codes that an everyday term means come first, then the very
        code, codes that begin with the search, usual and billable codes, and short displays before long ones. Without a search
        all codes are listed in their order. `E11.9` and `e119` are one code.
        """
        query = self.validated_query()
        on = query.get("date") or clock.today()
        result = selectors.find(query.get("search") or "", on=on, billable=query.get("billable"))
        count = paging.capped if query.get("search") or query.get("billable") is not None else paging.exact
        fuzzy = {"fuzzy": True} if result.fuzzy else {}
        return self.page("codes", result.rows, count, lambda row: IcdCodeShape(row).data, **fuzzy)


def _refuse() -> date:
    raise ValidationError("Write a day as YYYY-MM-DD, like 2025-01-15.")
