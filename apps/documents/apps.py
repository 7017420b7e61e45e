"""The documents app."""

from apps.common.domain import DomainConfig


class DocumentsConfig(DomainConfig):
    name = "apps.documents"
    verbose_name = "Documents"
    floor = 3
