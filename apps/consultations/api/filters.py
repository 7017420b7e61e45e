"""Filters of the list of consultations."""

from django_filters import FilterSet

from apps.consultations.models import STATUSES, Consultation
from apps.rest import periods
from apps.rest.filters import ChoicesFilter, IdFilter


class ConsultationFilter(FilterSet):
    patient_id = IdFilter(help_text="The id of a merged record finds the survivor's")
    doctor_id = IdFilter(field_name="doctor", help_text="Consultations of this doctor")
    appointment_id = IdFilter(field_name="appointment", help_text="Consultations of this appointment")
    status = ChoicesFilter(choices=STATUSES, help_text="Consultations with this status")
    date_from = periods.Since(field_name="started_at", lookup_expr="gte")
    date_to = periods.Until(field_name="started_at", lookup_expr="lt")

    class Meta:
        model = Consultation
        fields: list[str] = []
