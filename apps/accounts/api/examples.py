"""Examples from sections 2.1 and 2.2 of the API reference, with the accounts of the sandbox, and the missing ones.

A refresh token, a code and the token of a mailed link are secrets of the moment: in these three bodies the caller puts their own.
"""

from datetime import time

from apps.rest.endpoint import Example
from apps.rest.schema.examples import Upcoming

_PASSWORD = "Sandbox-2025!"  # noqa: S105  # of every account of the sandbox

_TOKENS = {"access_token": "eyJhbGciOiJIUzI1NiIs...", "refresh_token": "eyJhbGciOiJIUzI1NiIs...", "expires_in": 3600}

LOGIN = Example(
    request={"username": "dr.smith", "password": _PASSWORD, "mfa_code": "123456"},
    reply={
        "success": True,
        "data": {
            "user": {
                "id": "7b1a8a2e-4f0c-5d0b-9a64-4a1d2f6f0e11",
                "username": "dr.smith",
                "email": "dr.smith@hims.com",
                "role": "doctor",
                "first_name": "Dr.",
                "last_name": "Smith",
            },
            "tokens": _TOKENS,
        },
    },
)
REFRESH = Example(request={"refresh_token": "eyJhbGciOiJIUzI1NiIs..."}, reply={"success": True, "data": {"tokens": _TOKENS}})
LOGOUT = Example(request={"all_sessions": False}, reply={"success": True, "data": {"logged_out": True}})

_CODES = ["JBSW-Y3DP-EHPK-3PXP", "MFRG-GZDF-MZTW-Q2LK"]
_NEW = "three blue herons in the rain"

REAUTHENTICATE = Example(
    request={"password": _PASSWORD},
    reply={"success": True, "data": {"reauthenticated": True, "expires_in": 300}},
)
TOTP = Example(
    reply={
        "success": True,
        "data": {
            "totp": {
                "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                "otpauth_uri": "otpauth://totp/HIMS%20Clinic%3Adr.smith?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=HIMS%20Clinic",
                "qr_svg": "<svg ...>",
            }
        },
    }
)
TOTP_CONFIRM = Example(
    request={"code": "123456"}, reply={"success": True, "data": {"mfa_enabled": True, "recovery_codes": _CODES}}
)
RECOVERY_CODES = Example(reply={"success": True, "data": {"recovery_codes": _CODES}})
TOTP_DISABLE = Example(reply={"success": True, "data": {"mfa_enabled": False}})
CHANGE = Example(
    request={"current_password": _PASSWORD, "new_password": _NEW},
    reply={"success": True, "data": {"password_changed": True}},
)
FORGOT = Example(request={"username": "dr.smith"}, reply={"success": True, "data": {"accepted": True}})
RESET = Example(
    request={"token": "Vw3mQ0c0m1bJ8mJ0yq6iVw3mQ0c0m1bJ8mJ0yq6i", "new_password": _NEW},
    reply={"success": True, "data": {"password_changed": True}},
)
SESSIONS = Example(
    reply={
        "success": True,
        "data": {
            "sessions": [
                {
                    "id": "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44",
                    "current": True,
                    "started_at": "2025-01-15T10:00:00Z",
                    "last_seen_at": "2025-01-15T10:30:00Z",
                    "expires_at": "2025-01-15T22:00:00Z",
                    "ended_at": None,
                    "ip": "192.0.2.7",
                    "user_agent": "hims-sdk-python/1.0",
                }
            ],
            "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
        },
    }
)

ME = Example(request={"first_name": "Samantha"})
INVITE = Example(
    request={
        "username": "dr.okafor",
        "email": "dr.okafor@hims.com",
        "first_name": "Ada",
        "last_name": "Okafor",
        "role": "doctor",
        "specialty": "Family medicine",
        "npi": "1234567893",
        "languages": ["en", "ig"],
    }
)
CHANGE_USER = Example(
    path={"id": "doctor_001"}, request={"specialty": "Family medicine and geriatrics", "languages": ["en", "es"]}
)
CREATE_KEY = Example(
    request={
        "name": "Night sync",
        "scopes": ["patients:read", "patients:write"],
        "expires_at": Upcoming(days=364, at=time(12)),
        "allowed_cidrs": ["203.0.113.0/24"],
    }
)
