"""The roles of the clinic. One role a person."""

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    DOCTOR = "doctor"
    NURSE = "nurse"
    RECEPTIONIST = "receptionist"
    PHARMACIST = "pharmacist"
    LAB_TECHNICIAN = "lab_technician"
    BILLING = "billing"
    PATIENT = "patient"


STAFF = tuple(role for role in Role if role is not Role.PATIENT)
EVERYONE = frozenset(STAFF)
EVERYONE_BUT_MANAGER = EVERYONE - {Role.MANAGER}
CLINICAL = frozenset({Role.DOCTOR, Role.NURSE})
CARE = CLINICAL | {Role.PHARMACIST, Role.LAB_TECHNICIAN}
FRONT_OFFICE = CLINICAL | {Role.ADMIN, Role.RECEPTIONIST}
ADMINISTRATION = frozenset({Role.ADMIN, Role.MANAGER})
