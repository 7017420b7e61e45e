"""The prescriptions app."""

from apps.common.domain import DomainConfig
from apps.prescriptions.api.descriptions import DESCRIPTIONS


class PrescriptionsConfig(DomainConfig):
    name = "apps.prescriptions"
    verbose_name = "Medicines"
    floor = 8
    api_urls = "apps.prescriptions.api.urls"
    descriptions = DESCRIPTIONS
    enum_names = {
        "DrugSchedule": "apps.prescriptions.models.Schedule",
        "AlertSeverity": "apps.prescriptions.api.serializers.SEVERITIES",
    }
