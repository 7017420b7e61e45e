"""The scope that an API key needs, in addition to its owner's permission, for each permission.

It implements column K of section 2 of the API contract. `None` means that keys are never allowed: it requires a signed-in person.
A permission has one scope; if two endpoints require different ones, they need two permissions. A key's scopes are checked at the
endpoint (`rest.permissions`) and for every part of a reply (`rest.disclosure`). The owner's role decides what a service may act
on, as for a session.
"""

from enum import StrEnum

from apps.access.permissions import Permission as P


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


SCOPE_OF: dict[P, Scope | None] = {
    P.OWN_SESSION: None,
    P.OWN_SECURITY: None,
    P.KEY_KEEP: None,
    P.KEY_KEEP_ALL: None,
    P.STAFF_VIEW: None,
    P.STAFF_MANAGE: None,
    P.DOCTOR_VIEW: Scope.APPOINTMENTS_READ,
    P.PATIENT_VIEW: Scope.PATIENTS_READ,
    P.PATIENT_REGISTER: Scope.PATIENTS_WRITE,
    P.PATIENT_MATCH: Scope.PATIENTS_READ,
    P.PATIENT_AMEND: Scope.PATIENTS_WRITE,
    P.PATIENT_AMEND_INSURANCE: Scope.PATIENTS_WRITE,
    P.PATIENT_DEACTIVATE: Scope.PATIENTS_WRITE,
    P.PATIENT_MERGE: None,
    P.PATIENT_RESTRICT: None,
    P.PATIENT_BREAK_GLASS: None,
    P.PATIENT_CARE_TEAM: None,
    P.GLASS_REVIEW: None,
    P.PATIENT_SEE_ADDRESS: Scope.PATIENTS_READ,
    P.PATIENT_SEE_EMERGENCY_CONTACT: Scope.PATIENTS_READ,
    P.PATIENT_SEE_INSURANCE: Scope.PATIENTS_READ,
    P.PATIENT_SEE_ALLERGY_STATUS: Scope.PATIENTS_READ,
    P.CHART_VIEW: Scope.HISTORY_READ,
    P.CHART_WRITE: Scope.HISTORY_WRITE,
    P.APPOINTMENT_VIEW: Scope.APPOINTMENTS_READ,
    P.APPOINTMENT_SEE_NOTES: Scope.APPOINTMENTS_READ,
    P.APPOINTMENT_BOOK: Scope.APPOINTMENTS_WRITE,
    P.APPOINTMENT_CHANGE: Scope.APPOINTMENTS_WRITE,
    P.APPOINTMENT_EXPORT: Scope.APPOINTMENTS_READ,
    P.APPOINTMENT_ANY: Scope.APPOINTMENTS_WRITE,
    P.APPOINTMENT_OVERBOOK: Scope.APPOINTMENTS_WRITE,
    P.SCHEDULE_KEEP: Scope.APPOINTMENTS_WRITE,
    P.ROOM_VIEW: Scope.APPOINTMENTS_READ,
    P.ROOM_KEEP: Scope.APPOINTMENTS_WRITE,
    P.QUEUE_VIEW: Scope.APPOINTMENTS_WRITE,  # the contract says so
    P.WAITLIST_VIEW: Scope.APPOINTMENTS_READ,
    P.WAITLIST_KEEP: Scope.APPOINTMENTS_WRITE,
    P.CONSULTATION_VIEW: Scope.CONSULTATIONS_READ,
    P.CONSULTATION_SEE_NOTES: Scope.CONSULTATIONS_READ,
    P.CONSULTATION_START: Scope.CONSULTATIONS_WRITE,
    P.CONSULTATION_STEP: Scope.CONSULTATIONS_WRITE,
    P.CONSULTATION_STEP_ANY: Scope.CONSULTATIONS_WRITE,
    P.CONSULTATION_ANY: Scope.CONSULTATIONS_WRITE,
    P.CONSULTATION_HOLD: Scope.CONSULTATIONS_WRITE,
    P.CONSULTATION_READY: Scope.CONSULTATIONS_WRITE,
    P.CONSULTATION_SIGN: None,
    P.AUDIT_VIEW: Scope.AUDIT_READ,
    P.NOTIFICATION_READ: Scope.NOTIFICATIONS_READ,
    P.NOTIFICATION_SEND: Scope.NOTIFICATIONS_SEND,
    P.TERMINOLOGY_READ: Scope.HISTORY_READ,
    P.DELIVERY_RETRY: None,
}


def of(permission: P) -> Scope | None:
    """Returns the scope a key needs for this permission; None if keys are never allowed, or no scope is declared."""
    return SCOPE_OF.get(permission)
