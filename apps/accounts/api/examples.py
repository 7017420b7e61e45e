"""Sections 2.1 and 2.2 of the API reference, as printed; where it prints the word uuid, there is one."""

from apps.rest.schema import Example

_TOKENS = {"access_token": "eyJhbGciOiJIUzI1NiIs...", "refresh_token": "eyJhbGciOiJIUzI1NiIs...", "expires_in": 3600}

LOGIN = Example(
    request={"username": "dr.smith", "password": "secure_password", "mfa_code": "123456"},
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
