"""Filters of the patient list and of a chart."""

from django.db.models import QuerySet
from django_filters import BooleanFilter, CharFilter, ChoiceFilter, FilterSet

from apps.patients import selectors
from apps.patients.chart import EntryType
from apps.patients.models import ChartEntry, Patient
from apps.patients.rules import QUERY_MAX


class PatientFilter(FilterSet):
    search = CharFilter(
        method="matching",
        max_length=QUERY_MAX,
        help_text="Words of the name in any order, MRN, telephone digits, date of birth; blind to case and accents",
    )
    status = ChoiceFilter(method="in_status", choices=[("active", "active"), ("inactive", "inactive")])

    class Meta:
        model = Patient
        fields: list[str] = []

    def matching(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return selectors.matching(rows, value)

    def in_status(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(is_active=value == "active")


class ChartFilter(FilterSet):
    type = ChoiceFilter(choices=[(kind.value, kind.value) for kind in EntryType])
    include_retracted = BooleanFilter(method="with_retracted", help_text="Also show what was entered in error")

    class Meta:
        model = ChartEntry
        fields: list[str] = []

    def with_retracted(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows
