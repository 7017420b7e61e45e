"""The rights of patients and their charts: name, roles, scope of an API key (None: never)."""

from collections.abc import Mapping

from apps.access import permissions
from apps.access.actor import Actor
from apps.access.permissions import ADMIN_IF_CLINICAL
from apps.access.roles import ADMINISTRATION, CARE, CLINICAL, EVERYONE, EVERYONE_BUT_MANAGER, FRONT_OFFICE, Role
from apps.access.scopes import Scope
from apps.patients.chart.entry_types import EntryType


class Permission(permissions.Permission):
    PATIENT_VIEW = "patient.view", EVERYONE, Scope.PATIENTS_READ
    # more than what finds one person: name, birth date, MRN and telephone
    PATIENT_SEE_DETAILS = "patient.see_details", EVERYONE_BUT_MANAGER, Scope.PATIENTS_READ
    PATIENT_REGISTER = "patient.register", FRONT_OFFICE, Scope.PATIENTS_WRITE
    # see which registered patients may be the person described
    PATIENT_MATCH = "patient.match", FRONT_OFFICE, Scope.PATIENTS_READ
    PATIENT_AMEND = "patient.amend", FRONT_OFFICE, Scope.PATIENTS_WRITE
    PATIENT_AMEND_INSURANCE = "patient.amend_insurance", FRONT_OFFICE | {Role.BILLING}, Scope.PATIENTS_WRITE
    PATIENT_DEACTIVATE = "patient.deactivate", {Role.ADMIN, Role.RECEPTIONIST}, Scope.PATIENTS_WRITE
    # see which records may be one person's
    PATIENT_DUPLICATES = "patient.duplicates", ADMINISTRATION, None
    # record that two records are two people's
    PATIENT_NOT_SAME = "patient.not_same", FRONT_OFFICE | {Role.MANAGER}, Scope.PATIENTS_WRITE
    # ask the administrators to merge two records
    PATIENT_ASK_FOR_MERGE = "patient.ask_for_merge", {Role.MANAGER, Role.RECEPTIONIST}, None
    PATIENT_MERGE = "patient.merge", {Role.ADMIN}, None  # merge two records of one person, and undo it
    # restrict a chart to its care team, name the team, lift the restriction
    PATIENT_RESTRICT = "patient.restrict", {Role.ADMIN}, None
    # open a restricted chart in an emergency; never the administrators, who review it
    PATIENT_BREAK_GLASS = "patient.break_glass", CLINICAL | {Role.PHARMACIST}, None
    PATIENT_CARE_TEAM = "patient.care_team", CARE, None  # belong to the care team of a restricted chart
    GLASS_REVIEW = "glass.review", ADMINISTRATION, None  # see who used break-glass, and sign it off
    PATIENT_SEE_ADDRESS = "patient.see_address", FRONT_OFFICE | {Role.BILLING}, Scope.PATIENTS_READ
    PATIENT_SEE_EMERGENCY_CONTACT = "patient.see_emergency_contact", FRONT_OFFICE, Scope.PATIENTS_READ
    PATIENT_SEE_INSURANCE = "patient.see_insurance", FRONT_OFFICE | {Role.BILLING}, Scope.PATIENTS_READ
    PATIENT_SEE_ALLERGY_STATUS = "patient.see_allergy_status", CARE, Scope.PATIENTS_READ, ADMIN_IF_CLINICAL
    CHART_VIEW = "chart.view", CARE | {Role.BILLING}, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    CHART_WRITE = "chart.write", CLINICAL | {Role.PHARMACIST}, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL


class EntryPermission(permissions.Permission):
    """Which types of chart entry a role reads, and which it records and marks as entered in error."""

    READ_ALLERGY = "chart.read_allergy", CARE, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_MEDICATION = "chart.read_medication", CLINICAL | {Role.PHARMACIST}, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_DIAGNOSIS = "chart.read_diagnosis", CLINICAL | {Role.PHARMACIST, Role.BILLING}, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_PROCEDURE = "chart.read_procedure", CLINICAL | {Role.BILLING}, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_IMMUNIZATION = "chart.read_immunization", CLINICAL, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_LAB_RESULT = "chart.read_lab_result", CLINICAL | {Role.LAB_TECHNICIAN}, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_VITAL_SIGN = "chart.read_vital_sign", CLINICAL, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    READ_NOTE = "chart.read_note", CLINICAL, Scope.HISTORY_READ, ADMIN_IF_CLINICAL
    WRITE_ALLERGY = "chart.write_allergy", CLINICAL | {Role.PHARMACIST}, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_MEDICATION = "chart.write_medication", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_DIAGNOSIS = "chart.write_diagnosis", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_PROCEDURE = "chart.write_procedure", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_IMMUNIZATION = "chart.write_immunization", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_LAB_RESULT = "chart.write_lab_result", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_VITAL_SIGN = "chart.write_vital_sign", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL
    WRITE_NOTE = "chart.write_note", CLINICAL, Scope.HISTORY_WRITE, ADMIN_IF_CLINICAL


_READ: Mapping[str, EntryPermission] = {kind.value: EntryPermission(f"chart.read_{kind}") for kind in EntryType}
_WRITE: Mapping[str, EntryPermission] = {kind.value: EntryPermission(f"chart.write_{kind}") for kind in EntryType}


def reads_chart(actor: Actor, entry_type: str) -> bool:
    """Whether the actor may read chart entries of the type. Billing reads coded entries only (`coded_only`)."""
    return entry_type in _READ and actor.has_permission(_READ[entry_type])


def writes_chart(actor: Actor, entry_type: str) -> bool:
    """Whether the actor may record chart entries of the type, and mark them as entered in error."""
    return entry_type in _WRITE and actor.has_permission(_WRITE[entry_type])


def coded_only(role: str) -> bool:
    """Whether the role sees the code of a chart entry and nothing of its narrative."""
    return role == Role.BILLING
