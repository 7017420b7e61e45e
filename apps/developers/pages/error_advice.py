"""What each code of the error catalogue (`apps.common.errors`) means, and what a program should do about it. Pure values."""

from dataclasses import dataclass

from apps.common.errors import CATALOGUE

_ADVICE = {
    "VALIDATION_ERROR": (
        "The request is invalid, independent of the state of the clinic: a field is missing, unknown or malformed.",
        "Correct the request and send it again; the same request never succeeds. `details.field` and "
        "`details.issue` name the first error, `details.errors` lists all of them. Unknown fields and "
        "unknown query parameters are errors too.",
    ),
    "AUTHENTICATION_ERROR": (
        "The caller is not identified: there is no access token or API key, or it has expired, was ended or is unknown.",
        "Exchange the refresh token at `POST /auth/refresh` once; if that is refused too, sign in again. At "
        "`POST /auth/login` it means that the credentials are wrong, or with `details.reason` `mfa_required` "
        "or `mfa_invalid` the code. `reauthentication_required`: confirm the password at `POST "
        "/auth/reauthenticate` and repeat the request. For an API key, `message` gives the reason; the key "
        "will not work again.",
    ),
    "AUTHORIZATION_ERROR": (
        "The caller is identified, and their role or API key does not allow this.",
        "Do not try again. The reference lists the roles of every operation; ask the clinic's administrator "
        "for another role, create an API key with the scope in `details.required_scope`, or leave out the "
        "part that `details` names.",
    ),
    "NOT_FOUND": (
        "The resource does not exist, or you don't have access to it.",
        "Check the path and the id. A record that you do not have access to gets the same reply as one that "
        "does not exist, and so does a path that does not exist.",
    ),
    "METHOD_NOT_ALLOWED": (
        "The path exists and does not support this method.",
        "Use one of the methods in the `Allow` header. Clinical records are never deleted: look for deactivate, retract "
        "or cancel.",
    ),
    "NOT_ACCEPTABLE": (
        "Your `Accept` header asks for something other than JSON.",
        "Send `Accept: application/json`, or no `Accept` header.",
    ),
    "CONFLICT": (
        "The request is well formed; the state of the record, or another record, does not allow it.",
        "Read the record again and decide: its state, or another record, does not allow this now. `details` "
        "gives the reason. The same request may succeed later, but not immediately. With `details.reason` "
        "`in_flight` your own first request with this `Idempotency-Key` is still being processed: wait for "
        "`Retry-After` and send it again. With `replay_withheld` it was carried out, and its reply contained "
        "a secret or data that you may no longer see: read the record.",
    ),
    "GONE": (
        "The resource existed, and its time has expired.",
        "Request a new one: the export, link or code has expired.",
    ),
    "PRECONDITION_FAILED": (
        "Your `If-Match` names a version that is no longer the newest.",
        "The record has been changed since you read it. Read it again, apply your change, and send the new "
        "`ETag` in `If-Match`. The `ETag` header of the refusal is the current version.",
    ),
    "REQUEST_TIMEOUT": (
        "The body did not arrive within the time limit of a request.",
        "Send the whole body at once, within ten seconds of the headers. Nothing of the request was saved.",
    ),
    "PAYLOAD_TOO_LARGE": (
        "The body exceeds the size limit.",
        "Send less: the limit is 1 MiB.",
    ),
    "UNSUPPORTED_MEDIA_TYPE": (
        "The body is not declared as JSON.",
        "Send the body as JSON in UTF-8, with `Content-Type: application/json`.",
    ),
    "IDEMPOTENCY_MISMATCH": (
        "An `Idempotency-Key` was reused with another body or query.",
        "Use a new `Idempotency-Key` for a new request, or send exactly the body of the first request with this key.",
    ),
    "PRECONDITION_REQUIRED": (
        "This installation requires `If-Match` here, and it is missing.",
        "Read the record and send its `ETag` in `If-Match`.",
    ),
    "RATE_LIMITED": (
        "More requests in a minute than the limit of this class of operations.",
        "Wait for the seconds in `Retry-After`, then send the request again. `X-RateLimit-Remaining` on "
        "every reply shows how many requests are left.",
    ),
    "INTERNAL_ERROR": (
        "An unexpected error occurred on our side.",
        "Try again once after a second; if the error persists, write to support with the `request_id`. "
        "Nothing of the request was saved.",
    ),
    "SERVICE_UNAVAILABLE": (
        "A part of the system is temporarily unavailable.",
        "Wait for the seconds in `Retry-After`, then try again, doubling the wait each time. Nothing of the request was saved.",
    ),
}


# Reasons that every operation may give. The reasons of a single operation are in the OpenAPI file.
GENERAL_REASONS = {
    "AUTHENTICATION_ERROR": {
        "unauthenticated": "No access token and no API key was sent.",
        "invalid_token": "The access token is not ours, has expired, or its session has ended.",
        "invalid_api_key": "The API key is not ours, has expired or was revoked, or belongs to another kind of installation.",
        "reauthentication_required": "Give the password again (`POST /auth/reauthenticate`), then repeat the request.",
    },
    "AUTHORIZATION_ERROR": {
        "forbidden": "The role does not include this.",
        "missing_scope": "The API key lacks the scope in `details.required_scope`.",
        "person_required": "API keys may not do this.",
        "mfa_enrollment_required": "The account must have a second factor first (`POST /auth/mfa/totp`).",
        "address_not_allowed": "The API key may not be used from this address.",
    },
    "CONFLICT": {
        "in_flight": "Your first request with this `Idempotency-Key` is still being worked on.",
        "reply_lost": "The request was carried out; its reply can no longer be read.",
        "replay_withheld": "The request was carried out; its reply is not shown again.",
    },
    "INTERNAL_ERROR": {"internal_error": "It is our fault, not the request's."},
    "SERVICE_UNAVAILABLE": {"unavailable": "Try again after the seconds in `Retry-After`."},
    "VALIDATION_ERROR": {"validation_error": "`details.errors` names every field at fault."},
}


@dataclass(frozen=True)
class CatalogueEntry:
    """A code, and what to make of it."""

    code: str
    status: int
    message: str
    meaning: str
    remedy: str
    reasons: dict[str, str]  # `details.reason` to its meaning


def catalogue() -> list[CatalogueEntry]:
    """Every code there is, by status."""
    entries = [
        CatalogueEntry(
            kind.code,
            kind.status.value,
            kind.message,
            *_ADVICE[kind.code],
            GENERAL_REASONS.get(kind.code, {kind.reason: kind.message}),
        )
        for kind in CATALOGUE
    ]
    return sorted(entries, key=lambda entry: entry.status)
