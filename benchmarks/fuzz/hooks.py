"""What schemathesis loads: it signs in, and leaves out reports that are no faults of the API, by the rules of `rules`.

This module runs in the environment of schemathesis, without the packages of the project.
"""

import atexit
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from typing import Any

import schemathesis  # installed for `make fuzz` only

from benchmarks.fuzz import rules

URL = os.environ["HIMS_FUZZ_URL"]
USERNAME = os.environ["HIMS_FUZZ_USER"]
# The example of POST /auth/password/change works as printed, so from then on the account has the second password.
PASSWORDS = (os.environ["HIMS_FUZZ_PASSWORD"], "three blue herons in the rain")
RENEWED_AFTER = 240.0  # seconds: some operations take only a password that was given in the last five minutes
LONGEST_KEY = 255  # characters of an Idempotency-Key
LEFT_OUT: Counter[str] = Counter()  # reports by reason
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


def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:  # noqa: ARG001  schemathesis passes it by position
    """Offers `*` for If-Match by itself. schemathesis writes headers of letters and digits only, so it finds no tag and would
    send a value of a wrong type with every request."""
    for operation in (one for methods in raw_schema["paths"].values() for one in methods.values()):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "If-Match" and "pattern" in parameter["schema"]:
                parameter["schema"] = {"anyOf": [{"type": "string", "enum": ["*"]}, parameter["schema"]]}


def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001  as above
    """Makes a valid Idempotency-Key another one for each request. Else it would get the stored reply of an earlier one."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and rules.IDEMPOTENCY_KEY.fullmatch(key) and len(key) <= LONGEST_KEY - 33:
        case.headers["Idempotency-Key"] = f"{key}-{uuid.uuid4().hex}"


def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ARG001  as above
    """Returns whether the report stays. Counts the reasons of those that do not."""
    request = response.request
    reports = [
        rules.Report(
            check=check,
            operation=case.operation.label,
            address=request.url,
            headers={name: _text(value) for name, value in request.headers.items()},
            body=_text(request.body or ""),
            status=response.status_code,
            reply=response.text,
        )
        for check in failure.checks
    ]
    reasons = [rules.explanations(report) for report in reports]
    if not reasons or not all(reasons):
        return True
    LEFT_OUT.update({reason for one in reasons for reason in one})
    return False


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _list_left_out() -> None:
    """Prints how many reports each reason left out."""
    lines = [f"  {number:5}  {reason}\n" for reason, number in LEFT_OUT.most_common()]
    sys.stdout.write(f"\nReports left out, by reason (benchmarks/fuzz/rules.py):\n{''.join(lines) or '  none'}\n")


atexit.register(_list_left_out)
schemathesis.auth(refresh_interval=None)(SignIn)
for hook in (before_load_schema, before_call, after_call, filter_failure):
    schemathesis.hook(hook)
