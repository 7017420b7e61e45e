"""The rules that leave out reports of the fuzzing: each is narrow, and none hides a fault next to what it explains."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.fuzz.rules import ACCEPTED, REFUSED, RULES, Report, explanations


def reply(*issues: tuple[str, str], reason: str = "validation_error") -> str:
    errors = [{"field": field, "issue": issue} for field, issue in issues]
    return json.dumps({"success": False, "error": {"code": "X", "details": {"reason": reason, "errors": errors}}})


def refusal(operation: str, body: Any, *issues: tuple[str, str], query: str = "") -> Report:
    return Report(
        check=REFUSED,
        operation=operation,
        address=f"http://127.0.0.1/v1/x?{query}",
        headers={},
        body=json.dumps(body) if body is not None else "",
        status=400,
        reply=reply(*issues),
    )


EXPLAINED = [
    refusal("GET /rooms", None, ("fields", "Unknown: '0'. Known: id, name."), query="fields=0"),
    refusal("POST /appointments", {"room_id": "room_999"}, ("room_id", "Must be a valid UUID.")),
    refusal("GET /queue", None, ("doctor_id", "Must be a UUID."), query="doctor_id=a_000"),
    refusal("PUT /doctors/{id}/schedule", {"hours": [{"room_id": "e_140"}]}, ("hours[0].room_id", "Must be a valid UUID.")),
    refusal("POST /waitlist", {"patient_id": "01"}, ("patient_id", "There is no such patient.")),
    refusal("GET /queue", None, ("date_from", "Write a day as YYYY-MM-DD, or …"), query="date_from=0000-01-01"),
    refusal("POST /x", {"starts_at": "5684-06-31"}, ("starts_at", "Write a day as YYYY-MM-DD, or a time.")),
    refusal("PUT /patients/{id}", {"date_of_birth": "0000"}, ("date_of_birth", "Write the date as YYYY-MM-DD, or …")),
    refusal("POST /patients", {"deceased_at": "2288-10-29T20:32:33Z"}, ("deceased_at", "Write the time as RFC 3339 with …")),
    refusal("POST /patients", {"date_of_birth": "2256"}, ("date_of_birth", "The date of birth is in the future.")),
    refusal("PUT /patients/{id}", {}, ("demographics.date_of_birth", "The date of birth is more than 130 years ago.")),
    refusal("POST /api-keys", {}, ("expires_at", "This time is in the past. Send a future time, or leave it out.")),
    refusal("POST /x", {"alerts": [{"reason": "\f"}]}, ("alerts[0].reason", "This field may not be blank.")),
    refusal("PUT /patients/{id}", {}, ("date_of_birth_precision", "Only the first day of a month or year can represent …")),
    refusal("POST /waitlist", {}, ("date_from", "Must not be in the past: choose today or later.")),
    refusal("POST /waitlist", {}, ("date_to", "Must not be before date_from.")),
    refusal("PUT /doctors/{id}/schedule", {}, ("hours[1]", "Must end after it begins, and must not overlap other hours …")),
    refusal("POST /pharmacy/drugs", {"name": "0"}, ("name", "End the name with the dose form, like …")),
    refusal("PUT /pharmacy/drugs/{id}", {"is_offered": True}, ("is_offered", "A drug without a dose form or an ingredient …")),
    refusal("POST /notifications", {}, ("X-API-Key", "Send this or Authorization, not both.")),
    refusal("POST /appointments", {}, ("doctor_id", "doctor_id is required unless the caller is a doctor.")),
    refusal("POST /appointments/series", {}, ("until", "Must not be before the first appointment.")),
    refusal("POST /doctors/{id}/time-off", {}, ("ends_at", "Must be after starts_at.")),
    refusal("POST /waitlist", {}, ("date_to", "Must be at most 366 days after date_from.")),
    refusal("POST /notifications", {}, ("recipient_ids", "There is no active member of staff with the id 0.")),
    refusal("POST /notifications", {}, ("recipient_ids", "Name at least one recipient in recipient_ids or recipient_roles.")),
    refusal("GET /patients", None, ("cursor", "Send either page or cursor, not both."), query="cursor=0"),
    refusal("POST /consultations/{id}/complete", {}, ("reason", "Enter the reason for signing with missing steps.")),
    refusal("POST /consultations/{id}/hand-over", {}, ("doctor_id", "The consultation already belongs to this doctor.")),
    refusal("POST /patients/{id}/medical-history", {}, ("no_known_allergies", "Send it with type allergy and nothing else.")),
    refusal("PUT /patients/{id}", {}, ("contact.phone", "A telephone number has 3 to 20 digits.")),
    refusal("POST /auth/password/reset", {}, ("token", "This link is invalid, was already used or has expired.")),
    refusal("GET /patients", None, ("cursor", "Send a next_cursor of this list unchanged."), query="cursor=0"),
    refusal("POST /auth/login", {"password": "a\0"}, ("password", "Text must not contain NUL or a lone surrogate.")),
    refusal("POST /patients", {"last_name": "\x9f"}, ("last_name", "Contains only invisible characters. Enter …")),
    refusal("POST /api-keys", {"allowed_cidrs": [":0/1"]}, ("allowed_cidrs[0]", "Write an address or a block like …")),
    refusal("POST /patients", {"email": "é"}, ("email", "Enter a valid e-mail address, like name@example.com.")),
    refusal("PUT /consultations/{id}/step", {}, ("", "The number 2.2e-313 is out of range.")),
    refusal("POST /patients/match", {}, ("gender", "This field is required.")),
    refusal("PATCH /patients/{id}", {}, ("contact.address.street", "Differs from address.street; send it once.")),
    refusal("PUT /users/{id}", {}, ("last_name", "Enter a first name or a last name. One of them may be empty, not both.")),
    refusal("PUT /patients/{id}", {}, ("mrn", "An MRN never changes. Leave it out.")),
    refusal("POST /users", {}, ("npi", "Only doctors have this.")),
    refusal("POST /auth/password/forgot", {}, ("email", "Send either the e-mail or the username of the account.")),
    refusal("PUT /patients/{id}/restricted", {}, ("care_team", "Leave it out if the chart is opened to all.")),
    refusal("POST /patients/{id}/merge", {}, ("into", "A record cannot be merged into itself.")),
    refusal("POST /patients/{id}/medical-history", {}, ("confirmed_implausible", "Only vital signs can be confirmed.")),
    refusal("POST /patients/{id}/medical-history", {}, ("display", "Enter a description.")),
    refusal("POST /appointments/series", {}, ("count", "Send count or until.")),
    refusal("POST /appointments/series", {}, ("occurrences", "Contradicts count: send only one of the two.")),
    refusal("POST /appointments/series", {}, ("every_weeks", "Applies to a weekly series: send interval.")),
    refusal("POST /appointments/series", {}, ("by_month_day", "Only for a monthly series.")),
    refusal("POST /waitlist", {}, ("time_to", "Send both time_from and time_to, or neither.")),
    refusal("POST /waitlist", {}, ("time_to", "The appointment takes longer than the time between the two.")),
    refusal("POST /doctors/{id}/move-appointments", {}, ("to_doctor_id", "Choose another doctor, or leave it out …")),
    refusal("PUT /consultations/{id}/step", {}, ("step_name", "Step 2 is named symptoms; send only one of the two.")),
    refusal("PUT /consultations/{id}/step", {}, ("step_data.spo2", "Unknown field. Known fields: tests.")),
]
ANY_PLACE = {
    "Which samples have names differs by installation",
    "The month does not have that day, or there was no year 0",
    "Text with a NUL or half a character",
    "Text of blanks alone",
    "Text without any visible character",
}
ANY_FIELD = ANY_PLACE | {"Sent flat and in an object"}
ANY_OPERATION = ANY_PLACE | {
    "The record does not exist",
    "The year is before 1850 or after 2200",
    "JSON has numbers that no column holds",
    "A request signs in one way",
}
FAULTS = [
    refusal("GET /rooms", None, ("status", "Unknown: '0'.")),
    refusal("POST /appointments", {"room_id": "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"}, ("room_id", "Must be a valid UUID.")),
    refusal("POST /appointments", {}, ("room_id", "Must be a valid UUID.")),
    refusal("GET /queue", None, ("date_from", "Write a day as YYYY-MM-DD, or …"), query="date_from=2026-01-31"),
    refusal("PUT /patients/{id}", {"date_of_birth": "1980-05"}, ("date_of_birth", "Write the date as YYYY-MM-DD, or …")),
    refusal("POST /patients", {"deceased_at": "2026-10-29T20:32:33Z"}, ("deceased_at", "Write the time as RFC 3339 with …")),
    refusal("POST /auth/login", {"password": "a"}, ("password", "Text must not contain NUL or a lone surrogate.")),
    refusal("POST /patients", {"last_name": ""}, ("last_name", "This field may not be blank.")),
    refusal("POST /patients", {"last_name": "Doe"}, ("last_name", "Contains only invisible characters. Enter …")),
    refusal("POST /api-keys", {"allowed_cidrs": ["1.2.3.4"]}, ("allowed_cidrs[0]", "Write an address or a block like …")),
    refusal("POST /appointments", {}, ("patient_id", "This field is required.")),
    refusal("POST /patients", {}, ("phone", "This field is required.")),
    refusal("POST /waitlist", {}, ("occurrences", "Contradicts count: send only one of the two.")),
    refusal("POST /consultations", {}, ("step_data.spo2", "Unknown field. Known fields: tests.")),
]


@pytest.mark.parametrize(
    "report", EXPLAINED, ids=lambda report: f"{report.operation} {json.loads(report.reply)['error']['details']}"
)
def test_a_condition_that_openapi_cannot_state_is_left_out(report: Report) -> None:
    assert len(explanations(report)) == 1


@pytest.mark.parametrize("report", EXPLAINED, ids=str)
def test_a_rule_explains_no_other_operation_field_or_issue(report: Report) -> None:
    (reason,) = explanations(report)
    (issue,) = json.loads(report.reply)["error"]["details"]["errors"]
    elsewhere = replace(report, operation="PATCH /elsewhere")
    assert (explanations(elsewhere) != []) == (reason in ANY_OPERATION)
    name = re.split(r"[.\[]", issue["field"])[0] or "{"
    address, body, field = (text.replace(name, "colour") for text in (report.address, report.body, issue["field"]))
    other_field = replace(report, address=address, body=body, reply=reply((field or "colour", issue["issue"])))
    assert (explanations(other_field) != []) == (reason in ANY_FIELD)
    assert explanations(replace(report, reply=reply((issue["field"], "It rains.")))) == []


def test_every_rule_has_an_example() -> None:
    assert {reason for report in EXPLAINED for reason in explanations(report)} == {rule.why for rule in RULES}


@pytest.mark.parametrize("report", FAULTS, ids=lambda report: f"{report.operation} {report.body} {report.address}")
def test_the_same_words_elsewhere_or_for_another_value_stay_a_fault(report: Report) -> None:
    assert explanations(report) == []


@pytest.mark.parametrize("report", EXPLAINED[1:6])
def test_one_unexplained_issue_keeps_the_report(report: Report) -> None:
    details = json.loads(report.reply)["error"]["details"]["errors"]
    both = reply(*[(one["field"], one["issue"]) for one in details], ("colour", "Unknown field."))
    assert explanations(replace(report, reply=both)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"check": "not_a_server_error"},
        {"check": ACCEPTED},
        {"status": 500},
        {"status": 422},
        {"reply": "{}"},
        {"reply": "<html>"},
    ],
)
def test_a_report_of_another_kind_stays(changes: dict[str, Any]) -> None:
    assert explanations(replace(EXPLAINED[1], **changes)) == []


@pytest.mark.parametrize("check", [REFUSED, ACCEPTED])
def test_a_tag_that_is_not_the_current_one_is_left_out_where_one_was_sent(check: str) -> None:
    stale = Report(check, "PUT /auth/me", "", {"If-Match": '"a"'}, "", 412, reply(reason="precondition_failed"))
    assert len(explanations(stale)) == 1
    assert explanations(replace(stale, headers={})) == []


@pytest.mark.parametrize(
    ("key", "left_out"), [(" a", True), ("a\t", True), ("a", False), ("a b", False), (" ", False), ("é ", False)]
)
def test_blanks_around_an_idempotency_key_are_no_part_of_it(key: str, left_out: bool) -> None:
    accepted = Report(ACCEPTED, "POST /users", "", {"Idempotency-Key": key}, "{}", 201, "{}")
    assert bool(explanations(accepted)) == left_out
