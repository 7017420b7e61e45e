"""Filters of the list of doctors."""

from django.db.models import QuerySet
from django_filters import CharFilter, FilterSet

from apps.accounts import selectors
from apps.accounts.models import Doctor


class DoctorFilter(FilterSet):
    search = CharFilter(method="named", max_length=100, help_text="Words of the name or the specialty")
    specialty = CharFilter(lookup_expr="iexact", max_length=100, help_text="The whole specialty, in any case")
    language = CharFilter(field_name="languages", method="speaking", max_length=10, help_text="A BCP 47 code, like es")

    class Meta:
        model = Doctor
        fields: list[str] = []

    def named(self, rows: QuerySet[Doctor], name: str, value: str) -> QuerySet[Doctor]:
        return selectors.doctors_named(rows, value)

    def speaking(self, rows: QuerySet[Doctor], name: str, value: str) -> QuerySet[Doctor]:
        return rows.filter(languages__contains=[value])
