"""What each code of the error catalogue (`apps.common.errors`) means, and what a program should do about it. Pure values."""

from dataclasses import dataclass

from apps.common.errors import CATALOGUE

_ADVICE = {
    "VALIDATION_ERROR": (
        "The request is wrong, whatever the state of the clinic: a field is missing, unknown or badly formed.",
        "Correct the request and send it again; the same request never succeeds. `details.field` and `details.issue` name "
        "the first fault, `details.errors` lists all of them. Unknown fields and unknown query parameters are faults too.",
    ),
    "AUTHENTICATION_ERROR": (
        "We do not know who you are: no access token or API key, or one that has expired, was ended or is not ours.",
        "Exchange the refresh token at `POST /auth/refresh` once; if that is refused too, sign in again. At `POST "
        "/auth/login` it means that the credentials are wrong, or with `details.issue` `mfa_required` or `mfa_invalid` the "
        "code. `reauthentication_required`: give the password again at `POST /auth/reauthenticate` and repeat the request. "
        "Of an API key `message` says what is the matter; it will not work again.",
    ),
    "AUTHORIZATION_ERROR": (
        "We know who you are, and your role, or your API key, may never do this.",
        "Do not try again. The reference names the roles of every operation; ask the clinic's administrator for another "
        "role, make an API key with the scope in `details.required_scope`, or leave out the part that `details` names.",
    ),
    "NOT_FOUND": (
        "There is no such thing, or it is not yours to see.",
        "Check the path and the id. A record that you may not see is told as one that is not there, and so is a path that "
        "does not exist.",
    ),
    "METHOD_NOT_ALLOWED": (
        "The path exists and does not offer this method.",
        "Use one of the methods in the `Allow` header. Clinical records are never deleted: look for deactivate, retract "
        "or cancel.",
    ),
    "NOT_ACCEPTABLE": (
        "Your `Accept` header asks for something other than JSON.",
        "Send `Accept: application/json`, or no `Accept` header.",
    ),
    "CONFLICT": (
        "The request is well formed; the record's state, or another record, forbids it.",
        "Read the record again and decide anew: its state, or another record, forbids this now. `details` says what "
        "stands in the way. The same request may succeed later, but not by trying at once. With `details.issue` `in_flight` your "
        "own first request with this `Idempotency-Key` is still being worked on: wait for `Retry-After` and send it again. With "
        "`replay_withheld` it was carried out, and its reply held a secret or data that you may no longer see: read the record.",
    ),
    "GONE": (
        "It was here, and its time is over.",
        "Ask for a new one: the export, link or code has expired.",
    ),
    "PRECONDITION_FAILED": (
        "Your `If-Match` names a version that is no longer the newest.",
        "Somebody changed the record since you read it. Read it again, put your change on top, and send the new `ETag` in "
        "`If-Match`. The `ETag` header of the refusal names the version there is now.",
    ),
    "REQUEST_TIMEOUT": (
        "The body did not arrive within the time that the server gives a request.",
        "Send the whole body at once, within ten seconds of the headers. Nothing of the request was saved.",
    ),
    "PAYLOAD_TOO_LARGE": (
        "The body is larger than a request may be.",
        "Send less: a body has at most 1 MiB.",
    ),
    "UNSUPPORTED_MEDIA_TYPE": (
        "The body is not declared as JSON.",
        "Send the body as JSON in UTF-8, with `Content-Type: application/json`.",
    ),
    "IDEMPOTENCY_MISMATCH": (
        "An `Idempotency-Key` was used again with another body or query.",
        "Use a new `Idempotency-Key` for a new request, or send exactly the body that the key was first used with.",
    ),
    "PRECONDITION_REQUIRED": (
        "This installation demands `If-Match` here, and it is missing.",
        "Read the record and send its `ETag` in `If-Match`.",
    ),
    "RATE_LIMITED": (
        "More requests in a minute than this class of operations allows.",
        "Wait for the seconds in `Retry-After`, then send the request again. `X-RateLimit-Remaining` on every reply shows "
        "how near the limit is.",
    ),
    "INTERNAL_ERROR": (
        "Something went wrong on our side that nobody foresaw.",
        "Try again once after a second; if it stays, write to support with the `request_id`. Nothing of the request was saved.",
    ),
    "SERVICE_UNAVAILABLE": (
        "A part of the system is down for the moment.",
        "Wait for the seconds in `Retry-After`, then try again, each time twice as long. Nothing of the request was saved.",
    ),
}


@dataclass(frozen=True)
class CatalogueEntry:
    """A code, and what to make of it."""

    code: str
    status: int
    message: str
    meaning: str
    remedy: str


def catalogue() -> list[CatalogueEntry]:
    """Every code there is, by status."""
    entries = [CatalogueEntry(kind.code, kind.status.value, kind.message, *_ADVICE[kind.code]) for kind in CATALOGUE]
    return sorted(entries, key=lambda entry: entry.status)
