"""What accounts contributes to the tests of the whole: who may call what, who opens which staff page, and sample rows."""

from django.urls import reverse

from apps.access.tests.role_table import ADMINISTRATION, EVERY_ROLE, EVERYONE, MANAGEMENT, Samples
from apps.accounts import services
from apps.accounts.models import Session, User
from apps.accounts.tests import factories

_OWN_KEYS, _DOCTORS = "y o o o o o o o", "y y y y y y y y"

#                                                              A D N R P L B  manager
MATRIX = {
    "POST /auth/logout": EVERYONE,
    "GET /auth/me": EVERYONE,
    "PUT /auth/me": EVERYONE,
    "PATCH /auth/me": EVERYONE,
    "POST /auth/password/change": EVERYONE,
    "POST /auth/reauthenticate": EVERYONE,
    "GET /auth/sessions": EVERYONE,
    "DELETE /auth/sessions": EVERYONE,
    "DELETE /auth/sessions/{id}": EVERYONE,
    "POST /auth/mfa/totp": EVERYONE,
    "POST /auth/mfa/totp/confirm": EVERYONE,
    "POST /auth/mfa/recovery-codes": EVERYONE,
    "DELETE /auth/mfa/totp": EVERYONE,
    "GET /api-keys": _OWN_KEYS,
    "POST /api-keys": _OWN_KEYS,
    "GET /api-keys/{id}": _OWN_KEYS,
    "DELETE /api-keys/{id}": _OWN_KEYS,
    "POST /api-keys/{id}/rotate": _OWN_KEYS,
    "GET /users": ADMINISTRATION,
    "POST /users": ADMINISTRATION,
    "GET /users/{id}": ADMINISTRATION,
    "PUT /users/{id}": ADMINISTRATION,
    "PATCH /users/{id}": ADMINISTRATION,
    "POST /users/{id}/deactivate": ADMINISTRATION,
    "POST /users/{id}/reactivate": ADMINISTRATION,
    "POST /users/{id}/reset-mfa": ADMINISTRATION,
    "POST /users/{id}/revoke-sessions": ADMINISTRATION,
    "GET /doctors": _DOCTORS,
    "GET /doctors/{id}": _DOCTORS,
}
PUBLIC = {"POST /auth/login", "POST /auth/refresh", "POST /auth/password/forgot", "POST /auth/password/reset"}
ENDS_SESSION = {"POST /auth/logout", "POST /auth/password/change"}
KEY_SCOPES = {
    "POST /auth/logout": None,
    "GET /auth/me": None,
    "PUT /auth/me": None,
    "GET /api-keys": None,
    "POST /api-keys": None,
    "DELETE /api-keys/{id}": None,
    "POST /api-keys/{id}/rotate": None,
    "GET /users": None,
    "POST /users": None,
    "GET /users/{id}": None,
    "PUT /users/{id}": None,
    "POST /users/{id}/deactivate": None,
    "POST /users/{id}/revoke-sessions": None,
    "GET /doctors": "appointments:read",
    "GET /doctors/{id}": "appointments:read",
}
STAFF_REPLIES = {"DoctorShape", "UserShape", "StaffShape", "StaffRow", "SignedInShape"}


def samples(staff: dict[str, User]) -> Samples:
    """Return a nurse, a doctor and an API key of the nurse."""
    key = factories.create_api_key(staff["nurse"]).key
    return Samples(
        ids={"/users/": staff["nurse"].pk, "/api-keys/": key.pk, "/doctors/": staff["doctor"].pk},
        bodies={"POST /auth/logout": {}},
        twins={
            reverse("admin:accounts_user_changelist"): "GET /users",
            reverse("admin:accounts_doctor_changelist"): "GET /doctors",
        },
    )


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    services.sign_in(username="nurse.ward", password=factories.PASSWORD, ip=None, user_agent="")
    session, key = Session.objects.get(), factories.create_api_key(staff["nurse"]).key
    admin, nurse, owner = frozenset({"admin"}), [staff["nurse"].pk], frozenset({"nurse"})
    return {
        reverse("admin:accounts_user_changelist"): MANAGEMENT,
        reverse("admin:accounts_user_add"): MANAGEMENT,
        reverse("admin:accounts_user_change", args=nurse): MANAGEMENT,
        reverse("admin:accounts_user_set_password", args=nurse): admin,
        reverse("admin:accounts_user_reset_mfa", args=nurse): MANAGEMENT,
        reverse("admin:accounts_user_deactivate", args=nurse): MANAGEMENT,
        reverse("admin:accounts_doctor_changelist"): EVERY_ROLE,
        reverse("admin:accounts_doctor_change", args=[staff["doctor"].pk]): EVERY_ROLE,
        reverse("admin:accounts_apikey_changelist"): EVERY_ROLE,
        reverse("admin:accounts_apikey_add"): EVERY_ROLE,
        reverse("admin:accounts_apikey_change", args=[key.pk]): owner | admin,
        reverse("admin:accounts_apikey_rotate", args=[key.pk]): owner,
        reverse("admin:accounts_apikey_revoke", args=[key.pk]): owner | admin,
        reverse("admin:accounts_session_changelist"): MANAGEMENT,
        reverse("admin:accounts_session_change", args=[session.pk]): MANAGEMENT,
        reverse("admin:accounts_session_end", args=[session.pk]): MANAGEMENT,
    }
