"""The first five minutes, as commands for a shell. They are run as printed by the tests."""

import json
from dataclasses import dataclass

from django.apps import apps

_SANDBOX_VALUES = ("dr.smith", "Sandbox-2025!", "patient_001")  # the sample sign-in and patient of every sandbox
_OWN_VALUES = ("your.username", "your password", "PATIENT_ID")
_TAKE_OUT = """python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["tokens"]["access_token"])'"""
_JANE = {"first_name": "Jane", "last_name": "Smith", "date_of_birth": "1985-03-20", "gender": "female", "phone": "+1-555-0125"}


@dataclass(frozen=True)
class QuickstartStep:
    """One command and why one gives it."""

    title: str
    command: str
    says: str


def steps(base_url: str) -> list[QuickstartStep]:
    """Sign in, list, read, register, and meet an error, against the server at `base_url`."""
    username, password, patient = _SANDBOX_VALUES if apps.is_installed("apps.sandbox") else _OWN_VALUES
    login, body = json.dumps({"username": username, "password": password}), json.dumps(_JANE)
    signed = '-H "Authorization: Bearer $TOKEN"'
    typed = "-H 'Content-Type: application/json'"
    return [
        QuickstartStep(
            "Sign in",
            f"TOKEN=$(curl -s {base_url}/auth/login {typed} \\\n  -d '{login}' \\\n  | {_TAKE_OUT})",
            "The access token is valid for an hour and goes into the Authorization header of every other "
            "request. A program sends an API key instead and does not sign in.",
        ),
        QuickstartStep(
            "List patients",
            f'curl -s "{base_url}/patients?limit=5" \\\n  {signed}',
            "A page of patients, with their number in pagination.",
        ),
        QuickstartStep(
            "Read one patient",
            f"curl -s {base_url}/patients/{patient} \\\n  {signed}",
            "The whole record, within what your role may see.",
        ),
        QuickstartStep(
            "Register a patient",
            f"curl -s {base_url}/patients \\\n  {signed} \\\n  {typed} \\\n  -d '{body}'",
            "Returns 201, the new record, and its path in the Location header. A second Jane Smith returns a warning.",
        ),
        QuickstartStep(
            "Handle an error",
            f"curl -s {base_url}/patients/nobody \\\n  {signed}",
            "Every failure has this form. Its code is in the error catalogue.",
        ),
    ]
