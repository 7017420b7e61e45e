"""Filters of the list of visits."""

from django_filters import ChoiceFilter, FilterSet

from apps.consultations.models import STATUSES, Consultation
from apps.patients.reads import standing
from apps.rest import periods
from apps.rest.filters import IdFilter


class _StandingFilter(IdFilter):
    """A patient's id; one that was merged into another finds the other's."""

    def filter(self, qs, value):  # type: ignore[no-untyped-def]
        return qs if value is None else qs.filter(patient=standing(value))


class ConsultationFilter(FilterSet):
    patient_id = _StandingFilter()
    doctor_id = IdFilter(field_name="doctor")
    appointment_id = IdFilter(field_name="appointment")
    status = ChoiceFilter(choices=STATUSES)
    date_from = periods.Since(field_name="started_at", lookup_expr="gte")
    date_to = periods.Until(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = Consultation
        fields: list[str] = []
