"""The audit log as a Django app."""

from apps.audit.api.descriptions import DESCRIPTIONS
from apps.common.domain import DomainConfig, Periodic


class AuditConfig(DomainConfig):
    name = "apps.audit"
    floor = 3
    descriptions = DESCRIPTIONS
    api_urls = "apps.audit.api.urls"
    beat = {
        "purge expired rows": Periodic("apps.audit.tasks.purge", every=86_400),
        "seal the audit log": Periodic("apps.audit.tasks.seal", every=3, expires=30),
        "seal late rows of the audit log": Periodic("apps.audit.tasks.seal", every=60, expires=30, kwargs={"thorough": True}),
        "verify the audit log": Periodic("apps.audit.tasks.verify", every=60, expires=30),
        "look for unusual reading": Periodic("apps.audit.tasks.look_for_unusual_reading", every=60, expires=30),
        "create the next months' audit partitions": Periodic("apps.audit.tasks.make_partitions", every=86_400),
    }
