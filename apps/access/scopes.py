"""The scopes of API keys. Each permission names in its row the scope that a key needs (`permissions`).

A key's scopes are checked before the endpoint runs (`rest.permissions`) and for every part of a reply (`rest.disclosure`). What a
service may act on is decided by the owner's role, as for a session.
"""

from enum import StrEnum


class Scope(StrEnum):
    """Every scope of the contract. A `write` does not include the `read`: a key needs both."""

    ANALYTICS_READ = "analytics:read"
    APPOINTMENTS_READ = "appointments:read"
    APPOINTMENTS_WRITE = "appointments:write"
    AUDIT_READ = "audit:read"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    CONSULTATIONS_READ = "consultations:read"
    CONSULTATIONS_WRITE = "consultations:write"
    HISTORY_READ = "history:read"
    HISTORY_WRITE = "history:write"
    LAB_READ = "lab:read"
    LAB_WRITE = "lab:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_SEND = "notifications:send"
    PATIENTS_READ = "patients:read"
    PATIENTS_WRITE = "patients:write"
    PHARMACY_READ = "pharmacy:read"
    PHARMACY_WRITE = "pharmacy:write"
    PRESCRIPTIONS_READ = "prescriptions:read"
    PRESCRIPTIONS_WRITE = "prescriptions:write"
    WEBHOOKS_MANAGE = "webhooks:manage"
