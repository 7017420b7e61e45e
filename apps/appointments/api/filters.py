"""Parameters of the lists of appointments."""

from django.forms import IntegerField
from django_filters import CharFilter, ChoiceFilter, Filter, FilterSet

from apps.appointments import rules
from apps.appointments.models import Appointment, AppointmentType
from apps.appointments.models.appointments import STATUSES
from apps.rest.filters import ChoicesFilter, IdFilter, YesNoFilter
from apps.rest.paging import CursorFilter
from apps.rest.periods import Since, Until

SORTS = [("-scheduled_time", "the latest first"), ("scheduled_time", "the earliest first")]


class MinutesFilter(Filter):
    field_class = IntegerField


class AppointmentFilter(FilterSet):
    patient_id = IdFilter(help_text="Appointments of this patient; the id of a merged record finds the survivor's")
    doctor_id = IdFilter(help_text="Appointments with this doctor")
    date_from = Since()
    date_to = Until()
    status = ChoicesFilter(choices=STATUSES, help_text="Appointments with this status")
    sort = ChoiceFilter(choices=SORTS, help_text="By default the latest first")
    cursor = CursorFilter()

    class Meta:
        model = Appointment
        fields: list[str] = []


class AvailabilityFilter(FilterSet):
    date_from = Since()
    date_to = Until()
    duration_minutes = MinutesFilter(
        min_value=rules.SHORTEST, max_value=rules.LONGEST, help_text="Default: the doctor's usual length of this type"
    )
    appointment_type = ChoiceFilter(
        choices=AppointmentType.choices, help_text="Decides the length where duration_minutes is not sent"
    )

    class Meta:
        model = Appointment
        fields: list[str] = []


class CancelFilter(FilterSet):
    cancellation_reason = CharFilter(max_length=400, help_text="As in the body, for clients whose proxies drop the body")
    notify_patient = YesNoFilter(help_text="As in the body")

    class Meta:
        model = Appointment
        fields: list[str] = []
