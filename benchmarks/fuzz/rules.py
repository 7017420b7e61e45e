"""Which reports of schemathesis are no faults of the API, and why. Plain values in, so that the tests need no schemathesis.

schemathesis reports a request that fits the OpenAPI file and is refused, or one that does not fit it and is accepted. OpenAPI
3.0 cannot state every condition of a request: that a record exists, that a time is to come, that a month has 31 days, that one
field rules out another. A rule names such a condition by operation, field and issue, and where possible by what was sent. A
report is left out only if a rule explains each issue of the reply.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

REFUSED, ACCEPTED = (
    "positive_data_acceptance",
    "negative_data_rejection",
)  # the checks: a valid request must be accepted, and so on
IDEMPOTENCY_KEY = re.compile("[!-~]+")


@dataclass(frozen=True)
class Report:
    """A request, and the reply that failed one of the checks."""

    check: str
    operation: str  # GET /patients/{id}
    address: str
    headers: Mapping[str, str]
    body: str
    status: int
    reply: str


@dataclass(frozen=True)
class Rule:
    """A condition that the file cannot state. All are regular expressions of a whole text; `sent` of the value in the field."""

    why: str
    operation: str
    field: str
    issue: str
    sent: str = "(?s:.*)"


_REGISTRATION = "POST /patients(/match)?"
_CHANGE = "(PUT|PATCH) /patients/{id}"
_NO_SUCH_DAY = "0000(-.*)?|[0-9]{4}-(02-(29|30|31)|(04|06|09|11)-31)([Tt ].*)?"
_FAR_OFF = "(?!18[5-9]|19|2[01]|2200)[0-9]{4}-.*"
_PERIODS = "POST (/waitlist|.*/move-appointments|.*/time-off)"

RULES = (
    Rule("The names after fields= differ by operation; the file has their form", "GET .*", "fields", "Unknown: .*"),
    Rule("Which samples have names differs by installation", ".*", ".*", "Must be a (valid )?UUID[.]", "[a-z]+_[0-9]{3}"),
    Rule("The record does not exist", ".*", "(patient|doctor|appointment|other|room)_id|into", "There is no such .*"),
    Rule("The member of staff does not exist", "POST /notifications", "recipient_ids", "There is no active member of staff .*"),
    Rule("The month does not have that day, or there was no year 0", ".*", ".*", "Write (a day|the date) as .*", _NO_SUCH_DAY),
    Rule("The year is before 1850 or after 2200", ".*", ".*_(time|at)", "Write the time as RFC 3339 .*", _FAR_OFF),
    Rule("The year is before 1850 or after 2200", "GET .*/availability", "date_from", "Must be in a year from .*", _FAR_OFF),
    Rule(
        "A birth or a death is in the past, and a birth no more than 130 years ago",
        f"{_REGISTRATION}|{_CHANGE}",
        "(demographics[.])?(date_of_birth|deceased_at)",
        "The .* is (in the future|more than 130 years ago)[.]",
    ),
    Rule("The time has passed", "POST /api-keys", "expires_at", "This time is in the past[.] .*"),
    Rule("The day has passed", "POST /waitlist", "date_from", "Must not be in the past: .*"),
    Rule("A period ends after it begins", f"GET .*|{_PERIODS}", "date_to|ends_at", "Must (not be before|be after) .*"),
    Rule("A period has at most 366 days", f"GET .*|{_PERIODS}", "date_to", ".* at most 366 days .*"),
    Rule(
        "Hours end after they begin and do not overlap",
        "PUT /doctors/{id}/schedule",
        "hours.[0-9]+.",
        "Must end after it begins, .*",
    ),
    Rule(
        "The name of a drug is in RxNorm's form",
        "POST /pharmacy/drugs",
        "name",
        "(End the name with|Write each ingredient with) .*",
    ),
    Rule("Only what has a form and an ingredient is offered", "PUT /pharmacy/drugs/{id}", "is_offered", "A drug without .*"),
    Rule("A request signs in one way", ".*", "X-API-Key", "Send this or Authorization, not both[.]"),
    Rule("Only a doctor may leave doctor_id out", "POST /appointments(/series)?", "doctor_id", "doctor_id is required unless .*"),
    Rule("A series ends after it begins", "POST /appointments/series", "until", "Must not be before the first .*"),
    Rule("A secret is valid only as the server issued it", "POST /auth/password/reset", "token", "This link is invalid.*"),
    Rule("A list is read by page or by cursor", "GET .*", "cursor|offset", "Send either page or (cursor|offset), not both[.]"),
    Rule("A cursor is valid only as the server issued it", "GET .*", "cursor", "Send a next_cursor .*"),
    Rule("Text with a NUL or half a character", ".*", ".*", ".*must not contain NUL.*", "(?s:.*[\x00\ud800-\udfff].*)"),
    Rule("Text of blanks alone", ".*", ".*", "This field may not be blank[.]", r"\s+"),
    Rule("Text without any visible character", ".*", ".*", "Contains only invisible characters.*", r"\W*"),
    Rule(
        "The forms of IPv6, and blocks with bits after their prefix",
        "POST /api-keys",
        "allowed_cidrs.*",
        "Write an address.*",
        ".*[:/].*",
    ),
    Rule(
        "An e-mail address or an empty text: there is no format for both",
        _REGISTRATION,
        ".*email",
        "Enter a valid e-mail address.*",
    ),
    Rule("JSON has numbers that no column holds", ".*", "", "The number .* is out of range[.]"),
    Rule(
        "Required flat or in an object", _REGISTRATION, "first_name|last_name|date_of_birth|gender", "This field is required[.]"
    ),
    Rule("Sent flat and in an object", f"{_REGISTRATION}|{_CHANGE}", ".*", "Differs from .*; send it once[.]"),
    Rule(
        "One of two names may be empty",
        f"{_REGISTRATION}|{_CHANGE}|.* /users.*",
        "last_name",
        "Enter a first name or a last name.*",
    ),
    Rule("A month or a year is no whole date", _CHANGE, "date_of_birth_precision", "Only the first day of a month or year .*"),
    Rule("An MRN may be repeated but not changed", _CHANGE, "mrn", "An MRN never changes.*"),
    Rule("Only doctors have the field", ".* /users.*", "specialty|npi|languages|taxonomy", "Only doctors have this[.]"),
    Rule("An account is named by its e-mail address or its username", "POST /auth/password/forgot", "email", "Send either .*"),
    Rule("Only a restricted chart has a care team", "PUT /patients/{id}/restricted", "care_team", "Leave it out if .*"),
    Rule(
        "A merge is of two records",
        "POST /patients/{id}/(merge|not-same)",
        "into|other_id",
        "A record cannot be merged into itself[.]|This is the same record; .*",
    ),
    Rule(
        "Only vital signs can be confirmed",
        "POST /patients/{id}/medical-history",
        "confirmed_implausible",
        "Only vital signs can .*",
    ),
    Rule(
        "Every entry but no known allergies has a description",
        "POST /patients/{id}/medical-history",
        "display",
        "Enter a description[.]",
    ),
    Rule(
        "A series has a count or a last day",
        "POST /appointments/series",
        "count",
        "Send count or until[.]|Give the number .* not both[.]",
    ),
    Rule("occurrences is another name of count", "POST /appointments/series", "occurrences", "Contradicts count: .*"),
    Rule(
        "every_weeks is another name of interval, for a weekly series",
        "POST /appointments/series",
        "every_weeks",
        "Contradicts interval: .*|Applies to a weekly .*",
    ),
    Rule(
        "Only a monthly series has days of a month",
        "POST /appointments/series",
        "by_month_day|by_set_position",
        "Only for a monthly series[.]",
    ),
    Rule(
        "A waitlist entry has both times of day or neither",
        "POST /waitlist",
        "time_(from|to)",
        "Send both time_from and time_to, or neither[.]",
    ),
    Rule("The appointment fits between the two times of day", "POST /waitlist", "time_to", "The appointment takes longer .*"),
    Rule(
        "A notification has a recipient, by id or by role",
        "POST /notifications",
        "recipient_ids",
        "Name at least one recipient .*",
    ),
    Rule(
        "Signing with missing steps needs a reason",
        "POST /consultations/{id}/complete",
        "reason",
        "Enter the reason for signing .*",
    ),
    Rule(
        "A consultation is handed over to another doctor",
        "POST /consultations/{id}/hand-over",
        "doctor_id",
        "The consultation already belongs .*",
    ),
    Rule(
        "No known allergies is recorded alone",
        "POST /patients/{id}/medical-history",
        "no_known_allergies",
        "Send it with type allergy .*",
    ),
    Rule(
        "The digits of a telephone number may be of any script",
        f"{_REGISTRATION}|{_CHANGE}",
        "((emergency_)?contact[.])?phone",
        "A telephone number has 3 to 20 digits[.]",
    ),
    Rule(
        "The appointments of an absent doctor move to another",
        "POST /doctors/{id}/move-appointments",
        "to_doctor_id",
        "Choose another doctor.*",
    ),
    Rule(
        "A step is named by its number or its name",
        "PUT /consultations/{id}/step",
        "step_n(ame|umber)",
        "Send step_number or .*|Step .* is named .*",
    ),
    Rule(
        "The fields of step_data differ by step",
        "PUT /consultations/{id}/step",
        "step_data[.].*",
        "Unknown field[.] Known fields: .*",
    ),
)


def explanations(report: Report) -> list[str]:
    """Returns why the report is no fault: one reason for each issue of the reply, empty if any has none."""
    details = _details(report.reply)
    if report.check in (REFUSED, ACCEPTED) and report.status == 412 and details.get("reason") == "precondition_failed":
        return ["The tag is not the current one (412)"] if "If-Match" in report.headers else []
    if report.check == ACCEPTED:
        return ["Blanks around a key are no part of it (RFC 9110, section 5.5)"] if _has_blanks_around_key(report) else []
    if report.check != REFUSED or report.status != 400:
        return []
    reasons = [_explanation(report, one["field"], one["issue"]) for one in details.get("errors", ())]
    return [reason for reason in reasons if reason] if all(reasons) else []


def _explanation(report: Report, field: str, issue: str) -> str | None:
    for rule in RULES:
        texts = ((rule.operation, report.operation), (rule.field, field), (rule.issue, issue))
        named = all(re.fullmatch(pattern, text, re.DOTALL) for pattern, text in texts)
        if named and any(re.fullmatch(rule.sent, text) for text in _sent(report, field)):
            return rule.why
    return None


def _sent(report: Report, field: str) -> Iterator[str]:
    """Yields what the request has in the field: of the body, and each value of the query."""
    value = _json(report.body)
    for name in re.findall(r"[^.\[\]]+", field):
        if isinstance(value, dict):
            value = value.get(name)
        else:
            value = value[int(name)] if isinstance(value, list) and name.isdigit() and int(name) < len(value) else None
    yield value if isinstance(value, str) else json.dumps(value)
    yield from parse_qs(urlsplit(report.address).query, keep_blank_values=True).get(field, ())


def _details(reply: str) -> dict[str, Any]:
    content = _json(reply)
    error = content.get("error") if isinstance(content, dict) else None
    return dict(error.get("details") or {}) if isinstance(error, dict) else {}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _has_blanks_around_key(report: Report) -> bool:
    key = report.headers.get("Idempotency-Key", "")
    return key != key.strip() and IDEMPOTENCY_KEY.fullmatch(key.strip()) is not None
