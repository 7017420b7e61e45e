"""The table: which role has which permission, and which kinds of chart entry it may read or write.

It implements section 2 of the API contract. A role that is missing in a row does not have the permission.
"""

from collections.abc import Set
from functools import cache

from apps.access.permissions import Permission as P
from apps.access.roles import STAFF, Role

_CLINICAL = {Role.DOCTOR, Role.NURSE}
_CARE = {*_CLINICAL, Role.PHARMACIST, Role.LAB_TECHNICIAN}
_DESK = {Role.ADMIN, Role.DOCTOR, Role.NURSE, Role.RECEPTIONIST}
_EVERYONE_BUT_MANAGER = {role for role in STAFF if role is not Role.MANAGER}

_HOLDERS: dict[P, Set[Role]] = {
    P.OWN_SESSION: set(STAFF),
    P.OWN_SECURITY: set(STAFF),
    P.STAFF_VIEW: {Role.ADMIN},
    P.STAFF_MANAGE: {Role.ADMIN},
    P.DOCTOR_VIEW: _EVERYONE_BUT_MANAGER,
    P.KEY_KEEP: set(STAFF),
    P.KEY_KEEP_ALL: {Role.ADMIN},
    P.PATIENT_VIEW: _EVERYONE_BUT_MANAGER,
    P.PATIENT_REGISTER: _DESK,
    P.PATIENT_MATCH: _DESK,
    P.PATIENT_AMEND: _DESK,
    P.PATIENT_AMEND_INSURANCE: {*_DESK, Role.BILLING},
    P.PATIENT_DEACTIVATE: {Role.ADMIN, Role.RECEPTIONIST},
    P.PATIENT_MERGE: {Role.ADMIN},
    P.PATIENT_RESTRICT: {Role.ADMIN},
    P.PATIENT_BREAK_GLASS: {*_CLINICAL, Role.PHARMACIST},  # never the reviewer, whatever HIMS_ADMIN_CLINICAL says
    P.PATIENT_CARE_TEAM: _CARE,
    P.GLASS_REVIEW: {Role.ADMIN},
    P.PATIENT_SEE_ADDRESS: {*_DESK, Role.BILLING},
    P.PATIENT_SEE_EMERGENCY_CONTACT: _DESK,
    P.PATIENT_SEE_INSURANCE: {*_DESK, Role.BILLING},
    P.PATIENT_SEE_ALLERGY_STATUS: _CARE,
    P.CHART_VIEW: {*_CARE, Role.BILLING},
    P.CHART_WRITE: {*_CLINICAL, Role.PHARMACIST},
    P.APPOINTMENT_VIEW: {*_DESK, Role.BILLING},
    P.APPOINTMENT_SEE_NOTES: _DESK,
    P.APPOINTMENT_BOOK: _DESK,
    P.APPOINTMENT_CHANGE: _DESK,
    P.APPOINTMENT_EXPORT: _DESK,
    P.APPOINTMENT_ANY: _DESK - {Role.DOCTOR},
    P.APPOINTMENT_OVERBOOK: {Role.ADMIN, Role.RECEPTIONIST},
    P.SCHEDULE_KEEP: _DESK - {Role.NURSE},
    P.ROOM_VIEW: _DESK,
    P.ROOM_KEEP: {Role.ADMIN},
    P.QUEUE_VIEW: _DESK,
    P.WAITLIST_VIEW: _DESK,
    P.WAITLIST_KEEP: _DESK,
    P.CONSULTATION_VIEW: {*_CLINICAL, Role.BILLING},
    P.CONSULTATION_SEE_NOTES: _CLINICAL,
    P.CONSULTATION_START: _CLINICAL,
    P.CONSULTATION_STEP: _CLINICAL,
    P.CONSULTATION_STEP_ANY: {Role.DOCTOR},
    P.CONSULTATION_ANY: {Role.NURSE},
    P.CONSULTATION_HOLD: _CLINICAL,
    P.CONSULTATION_READY: {Role.NURSE},
    P.CONSULTATION_SIGN: {Role.DOCTOR},
    P.AUDIT_VIEW: {Role.ADMIN},
    P.NOTIFICATION_READ: set(STAFF),
    P.NOTIFICATION_SEND: {Role.ADMIN},
    P.TERMINOLOGY_READ: _EVERYONE_BUT_MANAGER,
    P.DELIVERY_RETRY: {Role.ADMIN},
}

# Permissions shown as "–" for the administrator, granted with HIMS_ADMIN_CLINICAL=1.
_CONSULTING = {permission for permission in P if permission.value.startswith("consultation.")}
_CLINICAL_RIGHTS = {P.CHART_VIEW, P.CHART_WRITE, P.PATIENT_SEE_ALLERGY_STATUS} | _CONSULTING

CHART_TYPES = ("allergy", "medication", "diagnosis", "procedure", "immunization", "lab_result", "vital_sign", "note")
_ALL_TYPES = frozenset(CHART_TYPES)
_MAY_READ: dict[Role, frozenset[str]] = {
    Role.DOCTOR: _ALL_TYPES,
    Role.NURSE: _ALL_TYPES,
    Role.PHARMACIST: frozenset({"allergy", "medication", "diagnosis"}),
    Role.LAB_TECHNICIAN: frozenset({"lab_result", "allergy"}),
    Role.BILLING: frozenset({"diagnosis", "procedure"}),
}
_MAY_WRITE: dict[Role, frozenset[str]] = {
    Role.DOCTOR: _ALL_TYPES,
    Role.NURSE: _ALL_TYPES,
    Role.PHARMACIST: frozenset({"allergy"}),
}


@cache
def permissions_of(role: str, *, admin_clinical: bool) -> frozenset[P]:
    """Returns all permissions of a role. `admin_clinical` is the setting HIMS_ADMIN_CLINICAL."""
    permissions = {permission for permission, holders in _HOLDERS.items() if role in holders}
    if role == Role.ADMIN and admin_clinical:
        permissions |= _CLINICAL_RIGHTS
    return frozenset(permissions)


def readable_chart_types(role: str, *, admin_clinical: bool) -> frozenset[str]:
    """Returns the kinds of chart entry a role may read. Billing sees only coded rows (`coded_only`)."""
    return _ALL_TYPES if role == Role.ADMIN and admin_clinical else _MAY_READ.get(Role(role), frozenset())


def writable_chart_types(role: str, *, admin_clinical: bool) -> frozenset[str]:
    """Returns the kinds of chart entry a role may record and retract."""
    return _ALL_TYPES if role == Role.ADMIN and admin_clinical else _MAY_WRITE.get(Role(role), frozenset())


def coded_only(role: str) -> bool:
    """Returns whether the role sees the code of a chart entry without its narrative."""
    return role == Role.BILLING
