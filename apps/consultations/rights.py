"""The rights of consultations: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.permissions import ADMIN_IF_CLINICAL
from apps.access.roles import CLINICAL, Role
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    CONSULTATION_VIEW = "consultation.view", CLINICAL | {Role.BILLING}, Scope.CONSULTATIONS_READ, ADMIN_IF_CLINICAL
    # the narrative, in addition to the codes
    CONSULTATION_SEE_NOTES = "consultation.see_notes", CLINICAL, Scope.CONSULTATIONS_READ, ADMIN_IF_CLINICAL
    CONSULTATION_START = "consultation.start", CLINICAL, Scope.CONSULTATIONS_WRITE, ADMIN_IF_CLINICAL
    # save steps 0 to 3; the later ones with CONSULTATION_STEP_ANY
    CONSULTATION_STEP = "consultation.step", CLINICAL, Scope.CONSULTATIONS_WRITE, ADMIN_IF_CLINICAL
    CONSULTATION_STEP_ANY = "consultation.step_any", {Role.DOCTOR}, Scope.CONSULTATIONS_WRITE, ADMIN_IF_CLINICAL
    # act in the consultations of every doctor; start one for a doctor
    CONSULTATION_ANY = "consultation.any", {Role.NURSE}, Scope.CONSULTATIONS_WRITE, ADMIN_IF_CLINICAL
    CONSULTATION_HOLD = "consultation.hold", CLINICAL, Scope.CONSULTATIONS_WRITE, ADMIN_IF_CLINICAL  # hold, resume, cancel
    # hand a patient to the doctor
    CONSULTATION_READY = "consultation.ready", {Role.NURSE}, Scope.CONSULTATIONS_WRITE, ADMIN_IF_CLINICAL
    CONSULTATION_SIGN = "consultation.sign", {Role.DOCTOR}, None, ADMIN_IF_CLINICAL  # complete, add an addendum, hand over
