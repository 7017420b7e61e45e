"""The consultations app."""

from apps.common.domain import DomainConfig, Periodic
from apps.consultations.api.descriptions import DESCRIPTIONS


class ConsultationsConfig(DomainConfig):
    name = "apps.consultations"
    floor = 7
    descriptions = DESCRIPTIONS
    api_urls = "apps.consultations.api.urls"
    patient_links = ("consultations.Consultation.patient",)
    beat = {
        "compact the row counter of consultations": Periodic(
            "apps.consultations.tasks.compact_row_counter", every=10, expires=30
        ),
    }
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
