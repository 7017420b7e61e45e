"""The prescriptions app."""

from apps.common.domain import DomainConfig


class PrescriptionsConfig(DomainConfig):
    name = "apps.prescriptions"
    verbose_name = "Medicines"
    floor = 8
