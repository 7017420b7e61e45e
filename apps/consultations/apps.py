"""The consultations app."""

from apps.common.domain import DomainConfig
from apps.common.row_counters import RowCounter
from apps.consultations.api.descriptions import DESCRIPTIONS

ROW_COUNTER = RowCounter("consultations_rowcounter", counted="consultations_consultation")


class ConsultationsConfig(DomainConfig):
    name = "apps.consultations"
    verbose_name = "Visits"
    floor = 7
    descriptions = DESCRIPTIONS
    api_urls = "apps.consultations.api.urls"
    row_counters = (ROW_COUNTER,)
    patient_links = ("consultations.Consultation.patient",)
    enum_names = {
        "ConsultationStatus": "apps.consultations.models.STATUSES",
        "StepState": "apps.consultations.api.serializers.responses.STATES",
        "Severity": "apps.consultations.api.serializers.step_data.SEVERITIES",
        "TestPriority": "apps.consultations.api.serializers.step_data.TEST_PRIORITIES",
        "TemperatureUnit": "apps.consultations.api.serializers.step_data.TEMPERATURE_UNITS",
        "WeightUnit": "apps.consultations.api.serializers.step_data.WEIGHT_UNITS",
        "HeightUnit": "apps.consultations.api.serializers.step_data.HEIGHT_UNITS",
        "WorkflowType": "apps.consultations.models.WORKFLOWS",
    }
