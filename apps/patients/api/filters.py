"""Filters of the patient list and of a chart."""

from django.db.models import QuerySet
from django_filters import CharFilter, FilterSet

from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry, Patient
from apps.patients.rules import QUERY_MAX
from apps.rest.filters import ChoicesFilter, YesNoFilter
from apps.rest.paging import CursorFilter

STATUSES = [("active", "active"), ("inactive", "inactive")]


class PatientFilter(FilterSet):
    search = CharFilter(
        method="unfiltered",
        max_length=QUERY_MAX,
        help_text="Words of the name or its nicknames in any order, also `Doe,John` or a name without spaces; MRN; a "
        "telephone number as dialled at home or from abroad; date of birth. Ignores case and accents",
    )
    status = ChoicesFilter(method="unfiltered", choices=STATUSES, help_text="By default both")
    cursor = CursorFilter()

    class Meta:
        model = Patient
        fields: list[str] = []

    def unfiltered(self, rows: QuerySet[Patient], name: str, value: str) -> QuerySet[Patient]:
        """Returns the queryset unfiltered: search and counts have their own plans (`selectors.list_page`); this class declares
        and checks the parameters."""
        return rows


class ChartFilter(FilterSet):
    type = ChoicesFilter(choices=[(kind.value, kind.value) for kind in EntryType], help_text="Entries of this type")
    include_retracted = YesNoFilter(method="with_retracted", help_text="Also show entries that were entered in error")

    class Meta:
        model = ChartEntry
        fields: list[str] = []

    def with_retracted(self, rows: QuerySet[ChartEntry], name: str, value: bool) -> QuerySet[ChartEntry]:
        return rows
