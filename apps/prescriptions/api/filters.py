"""Query parameters of the catalogue."""

from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter, FilterSet

from apps.prescriptions.catalogue.words import QUERY_MAX
from apps.prescriptions.models import Drug, KnowledgeEntry
from apps.rest.filters import YesNoFilter


class DrugFilter(FilterSet):
    search = CharFilter(
        method="as_declared",
        max_length=QUERY_MAX,
        help_text="Beginnings of words in any order: generic name, brand, strength, form, like `amox 500`",
    )
    include_not_offered = YesNoFilter(
        method="as_declared", help_text="`true`: also drugs that can no longer be prescribed; by default they are left out"
    )

    class Meta:
        model = Drug
        fields: list[str] = []

    def as_declared(self, rows: QuerySet[Drug], name: str, value: Any) -> QuerySet[Drug]:
        """Returns the queryset unfiltered: the search reads the parameters; this class declares and checks them."""
        return rows


class InteractionFilter(FilterSet):
    drug = CharFilter(
        method="as_declared",
        max_length=QUERY_MAX,
        help_text="Only those of this ingredient, by its generic name, and of its classes",
    )

    class Meta:
        model = KnowledgeEntry
        fields: list[str] = []

    def as_declared(self, rows: QuerySet[KnowledgeEntry], name: str, value: Any) -> QuerySet[KnowledgeEntry]:
        """Returns the queryset unfiltered: the selector reads the parameter; this class declares and checks it."""
        return rows
