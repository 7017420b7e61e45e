"""The rights of signing in, staff and API keys: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import ADMINISTRATION, EVERYONE, Role
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    OWN_SESSION = "own_session", EVERYONE, None  # sign out, read one's own account
    # one's own password, second factor and sessions: all that an enrolment-only session may do
    OWN_SECURITY = "own_security", EVERYONE, None
    STAFF_VIEW = "staff.view", ADMINISTRATION, None  # read the staff list
    STAFF_MANAGE = "staff.manage", ADMINISTRATION, None
    STAFF_MANAGE_ADMINS = "staff.manage_admins", {Role.ADMIN}, None  # the accounts of administrators as well
    STAFF_SET_PASSWORD = "staff.set_password", {Role.ADMIN}, None  # choose a password for another user
    DOCTOR_VIEW = "doctor.view", EVERYONE, Scope.APPOINTMENTS_READ
    KEY_KEEP = "key.keep", EVERYONE, None  # create, read, rotate and revoke one's own API keys
    KEY_KEEP_ALL = "key.keep_all", {Role.ADMIN}, None  # the same for everyone's API keys
