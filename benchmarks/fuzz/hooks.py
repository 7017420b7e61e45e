"""What schemathesis loads: it signs in, and leaves out reports that are no faults of the API. `RULES` names each with its reason.

This module runs in the environment of schemathesis, without the project.
"""

import json
import os
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import schemathesis  # installed for `make fuzz` only

URL = os.environ["HIMS_FUZZ_URL"]
USERNAME = os.environ["HIMS_FUZZ_USER"]
# The example of POST /auth/password/change works as printed, so from then on the account has the second password.
PASSWORDS = (os.environ["HIMS_FUZZ_PASSWORD"], "three blue herons in the rain")
RENEWED_AFTER = 240.0  # seconds: some operations take only a password that was given in the last five minutes
ENDS_SESSIONS = {
    *("/auth/logout", "/auth/sessions", "/auth/sessions/{id}", "/auth/me", "/auth/mfa/totp", "/auth/password/change"),
    *("/users/{id}", "/users/{id}/revoke-sessions"),
}


class SignIn:
    """The token of the account, renewed after four minutes, after a 401 and after operations that end sessions."""

    token = ""
    since = 0.0

    def get(self, case: Any, context: Any) -> str:
        if not SignIn.token or time.monotonic() - SignIn.since > RENEWED_AFTER:
            SignIn.token, SignIn.since = _sign_in(), time.monotonic()
        return SignIn.token

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


def _sign_in() -> str:
    """Returns an access token. Raises ValueError if no password of the account is accepted."""
    for password in PASSWORDS:
        body = json.dumps({"username": USERNAME, "password": password}).encode()
        request = urllib.request.Request(f"{URL}/auth/login", body, {"Content-Type": "application/json"})  # noqa: S310  our own server
        try:
            with urllib.request.urlopen(request) as reply:  # noqa: S310
                return str(json.load(reply)["data"]["tokens"]["access_token"])
        except urllib.error.HTTPError:
            continue
    raise ValueError(f"{USERNAME} cannot sign in")


def after_call(context: Any, case: Any, response: Any) -> None:  # noqa: ARG001  schemathesis passes it by position
    """Forgets the token where the call may have ended the session."""
    used = response.request.headers.get("Authorization") == f"Bearer {SignIn.token}"
    if case.operation.path in ENDS_SESSIONS or (used and response.status_code == 401):
        SignIn.token = ""


@dataclass(frozen=True)
class Rule:
    """Why a 400 for a request that fits the file is no fault: what OpenAPI cannot state. `issues` are parts of `field: issue`."""

    why: str
    issues: tuple[str, ...]


RULES = (
    Rule("The names after fields= differ by operation, and the file has only their form", ("fields: Unknown",)),
    Rule("Which samples have names differs by installation", ("Must be a UUID.", "Must be a valid UUID.")),
    Rule("The record does not exist", ("There is no such", "does not exist", "Must be an active")),
    Rule("A day that no calendar has, or a year far off", ("Write a day as", "Write the date as", "Write the time as")),
    Rule("The time has passed, or the period ends before it begins", ("in the past", "Must not be before")),
    Rule("A secret or a cursor is valid only as the server issued it", ("link is invalid", "next_cursor")),
    Rule("Text with a NUL, or without any visible character", ("must not contain NUL", "only invisible")),
    Rule("The forms of IPv6 addresses, and blocks with bits after their prefix", ("Write an address or a block",)),
    Rule(
        "Fields that depend on each other: the descriptions say how",
        (
            *("Only doctors have", "Only vital signs can", "Send either", "Send count or", "Send step_number or", "Differs from"),
            *("Leave it out if", "Enter a description", "merged into itself", "This field is required"),
        ),
    ),
)
# Documented refusals that depend on earlier requests: the key was used for another body, the tag is not the current one.
EARLIER_REQUESTS = {"idempotency_mismatch", "precondition_failed"}


def _details(response: Any) -> dict[str, Any]:
    try:
        details: dict[str, Any] = response.json()["error"]["details"]
    except (ValueError, KeyError, TypeError):
        return {}
    return details


def _explained(response: Any) -> bool:
    """Returns whether a rule explains each invalid field of a 400."""
    issues = [f"{one['field']}: {one['issue']}" for one in _details(response).get("errors", ())]
    known = [part for rule in RULES for part in rule.issues]
    return response.status_code == 400 and bool(issues) and all(any(part in issue for part in known) for issue in issues)


def _blanks_around_key(response: Any) -> bool:
    """Returns whether the Idempotency-Key was valid but for blanks around it, which are no part of it (RFC 9110, section 5.5)."""
    value = response.request.headers.get("Idempotency-Key", "")
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text != text.strip() and re.fullmatch("[!-~]+", text.strip()) is not None


def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ARG001  as above
    """Returns whether the report stays."""
    checks = set(failure.checks)
    if checks & {"positive_data_acceptance", "negative_data_rejection"} and _details(response).get("reason") in EARLIER_REQUESTS:
        return False
    if "negative_data_rejection" in checks:
        return not _blanks_around_key(response)
    return not ("positive_data_acceptance" in checks and _explained(response))


schemathesis.auth(refresh_interval=None)(SignIn)
schemathesis.hook(after_call)
schemathesis.hook(filter_failure)
