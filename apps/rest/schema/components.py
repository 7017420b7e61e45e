"""What every operation shares: headers, the error envelope and its replies, pages, warnings, the authentication schemes."""

from collections.abc import Mapping
from typing import Any

from apps.common import errors
from apps.common.errors import CATALOGUE, HimsError
from apps.rest.paging import CURSOR

SECURITY = "bearerAuth"
KEY_SECURITY = "apiKeyAuth"
_REQUEST_ID = "req_01JHN4V0Q2K7T9C3M8R5W6X1YZ"
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "integer", "minimum": 1}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The id of this request, also in the error envelope and the log; your own, if you send a valid one",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        "example": _REQUEST_ID,
    },
    "X-API-Version": {"description": "The API's major version", "schema": _TEXT, "example": "v1"},
    "X-RateLimit-Limit": {"description": "Requests a minute in this class", "schema": _COUNT, "example": 100},
    "X-RateLimit-Remaining": {"description": "Requests left in the running minute", "schema": _COUNT, "example": 95},
    "X-RateLimit-Reset": {
        "description": "When the limit is free again, in seconds since 1970",
        "schema": _COUNT,
        "example": 1640995200,
    },
    "RateLimit": {
        "description": "The IETF's form (draft-ietf-httpapi-ratelimit-headers): the remaining requests, and the seconds "
        "until the reset",
        "schema": _TEXT,
        "example": '"retrieval";r=499;t=60',
    },
    "RateLimit-Policy": {
        "description": "The IETF's form of the class's limit and window",
        "schema": _TEXT,
        "example": '"retrieval";q=500;w=60',
    },
    "Location": {"description": "The new resource's path", "schema": {"type": "string", "format": "uri-reference"}},
    "Link": {"description": "Neighbouring pages (RFC 8288): first, prev, next, last", "schema": _TEXT},
    "Content-Disposition": {
        "description": "The file name for saving",
        "schema": _TEXT,
        "example": 'attachment; filename="appointment.ics"',
    },
    "ETag": {
        "description": "This version of the resource as your role is shown it; for `If-Match` and `If-None-Match`",
        "schema": _TEXT,
        "example": '"c1f2a95bd1f8a35ec3a8a3fe0f5b8a55"',
    },
    "Idempotent-Replayed": {
        "description": "Only on the stored reply to an `Idempotency-Key` that was used before",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Deprecation": {"description": "Since when it is deprecated (RFC 9745)", "schema": _TEXT, "example": "@1767225600"},
    "Sunset": {"description": "When it ends (RFC 8594)", "schema": _TEXT, "example": "Fri, 01 Jan 2027 00:00:00 GMT"},
    "X-API-Deprecated": {"description": "That it ends, and what replaces it", "schema": _TEXT},
    "X-API-Sunset": {"description": "The day it ends", "schema": {"type": "string", "format": "date"}, "example": "2027-01-01"},
    "Retry-After": {"description": "Seconds to wait before the next try", "schema": _SECONDS, "example": 60},
    "X-RateLimit-Retry-After": {"description": "The same seconds as Retry-After", "schema": _SECONDS, "example": 60},
    "Allow": {"description": "The methods this resource offers", "schema": _TEXT, "example": "GET, HEAD, POST"},
    "WWW-Authenticate": {"description": "How to authenticate", "schema": _TEXT, "example": "Bearer"},
}
EVERYWHERE = (
    "X-Request-ID",
    "X-API-Version",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
)
_SOMETIMES = {"Idempotent-Replayed"}
_EXTRA: dict[type[HimsError], tuple[str, ...]] = {
    errors.Unauthenticated: ("WWW-Authenticate",),
    errors.MethodNotAllowed: ("Allow",),
    errors.RateLimited: ("Retry-After", "X-RateLimit-Retry-After"),
    errors.Unavailable: ("Retry-After",),
}
_DETAILS: dict[type[HimsError], dict[str, Any]] = {
    errors.Invalid: {"field": "email", "issue": "Invalid email format"},
    errors.RateLimited: {"retry_after": 60},
}

_ID = {"type": "string", "format": "uuid"}
_TEXTS = {"type": "array", "items": _TEXT}


def _listed(component: str) -> dict[str, Any]:
    """Returns a list of objects that an app's replies have as well, as the component of this name."""
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{component}"}}


# Further details of a refusal. The reason determines which of them it has.
_KNOWN_DETAILS: dict[str, dict[str, Any]] = {
    "retry_after": {"type": "integer", "description": "Of rate_limited: seconds to wait"},
    "required_scope": {"type": "string", "description": "Of missing_scope: the scope that the API key lacks"},
    "from": {"type": "string", "description": "Of a change of status that is not allowed: the current status"},
    "to": {"type": "string", "description": "The requested status"},
    "allowed": {**_TEXTS, "description": "The statuses that may follow"},
    "movable_while": {**_TEXTS, "description": "Of no_longer_movable: the statuses in which a time may change"},
    "taken": {**_TEXTS, "description": "Of slot_taken: doctor, patient or room"},
    "alternatives": {**_listed("Alternative"), "description": "Of slot_taken: free times"},
    "clashes": {**_listed("Clash"), "description": "Of nothing_booked: the conflicts of each time"},
    "alerts": {**_listed("VisitAlert"), "description": "Of incomplete: the alerts that are not acknowledged"},
    "missing_steps": {"type": "array", "items": {"type": "integer"}, "description": "Of incomplete: the steps to complete"},
    "open_step": {"type": "integer", "description": "Of earlier_step_open: the step that comes first"},
    "current": {"type": "object", "additionalProperties": True, "description": "The resource as it is now, to compare with"},
    "patient_id": {**_ID, "description": "The record that caused the refusal"},
    "survivor_id": {**_ID, "description": "Of record_merged: the record to write to instead"},
    "merged_into": {**_ID, "description": "The record that a merge kept"},
    "merge_id": {**_ID, "description": "Of merged_further: the merge to undo first"},
    "consultation_id": {**_ID, "description": "Of already_started: the consultation that is in progress"},
    "waitlist_entry_id": {**_ID, "description": "Of already_waiting: the existing entry"},
    "until": {"type": "string", "format": "date-time", "description": "Of glass_already_broken: when the access ends"},
    "ready_at": {"type": "string", "format": "date-time", "description": "Of already_ready: since when"},
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "ErrorReply": {
        "type": "object",
        "description": "Every failure, whatever its status (section 12 of the reference).",
        "properties": {
            "success": {"type": "boolean", "description": "Always false"},
            "error": {"$ref": "#/components/schemas/ErrorInfo"},
        },
        "required": ["success", "error"],
    },
    "ErrorInfo": {
        "type": "object",
        "properties": {
            "code": {"$ref": "#/components/schemas/ErrorCode"},
            "doc_url": {"type": "string", "format": "uri-reference", "description": "The page that explains the code"},
            "message": {"type": "string", "description": "For people; the wording may change"},
            "details": {"$ref": "#/components/schemas/ErrorDetails"},
            "timestamp": {"type": "string", "format": "date-time"},
            "request_id": _TEXT,
        },
        "required": ["code", "doc_url", "message", "details", "timestamp", "request_id"],
    },
    "ErrorCode": {
        "type": "string",
        "enum": [kind.code for kind in CATALOGUE],
        "description": "For programs; the meaning never changes",
    },
    "ErrorDetails": {
        "type": "object",
        "description": "What is known of the failure; for a VALIDATION_ERROR the first invalid field, and all in `errors`",
        "properties": {
            "reason": {
                "type": "string",
                "description": (
                    "For programs: what was refused. Each operation lists its own reasons; those of every operation are "
                    "explained with the error codes (`doc_url`). New reasons may be added"
                ),
                "example": "validation_error",
            },
            "field": {"type": "string", "description": "`a.b[2].c` names a field inside"},
            "issue": _TEXT,
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldIssue"}},
            **_KNOWN_DETAILS,
        },
        "additionalProperties": True,
    },
    "FieldIssue": {"type": "object", "properties": {"field": _TEXT, "issue": _TEXT}, "required": ["field", "issue"]},
    "Pagination": {
        "type": "object",
        "properties": {
            "page": {"type": "integer", "minimum": 1},
            "limit": {"type": "integer", "minimum": 1},
            "total": {"type": "integer", "minimum": 0},
            "pages": {"type": "integer", "minimum": 0},
            "offset": {"type": "integer", "minimum": 0, "description": "In a list paged by offset"},
            "total_is_estimate": {"type": "boolean", "description": "True if counting stopped at 10,000; else absent"},
        },
        "required": ["page", "limit", "total", "pages"],
    },
    "Warning": {
        "type": "object",
        "description": "A notice that did not stop the request.",
        "properties": {"code": _TEXT, "message": _TEXT, "field": _TEXT},
        "required": ["code", "message"],
        "additionalProperties": True,
    },
}


def _by_number(least: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": "Absent in a page by cursor", "x-absent-with": CURSOR}


# The `pagination` of a list that pages by number and by cursor.
PAGINATION_BY_CURSOR: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "page": _by_number(1),
        "limit": {"type": "integer", "minimum": 1},
        "total": _by_number(0),
        "pages": _by_number(0),
        "offset": {"type": "integer", "minimum": 0, "description": "In a list paged by offset"},
        "total_is_estimate": {"type": "boolean", "description": "True if counting stopped at 10,000; else absent"},
        "next_cursor": {"type": "string", "nullable": True, "description": "Null at the end of the list"},
    },
    "required": ["limit", "next_cursor"],
}

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": (
        "The `access_token` of `POST /auth/login`. It is valid for an hour; `POST /auth/refresh` returns the "
        "next. An API key may be sent instead."
    ),
}
API_KEY = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": (
        "A key of `POST /api-keys`: `hims_live_…` in production, `hims_test_…` elsewhere. It acts for its "
        "owner, within its scopes. Send one credential per request: a key here and another credential in "
        "`Authorization` get 400."
    ),
}


def responses() -> dict[str, Any]:
    """Returns a reply for every code of the catalogue, by the name of its class, and the reply without a body."""
    not_modified = {"description": "You already have this version; counts against no limit", "headers": headers("ETag")}
    return {_name(kind): _response(kind) for kind in CATALOGUE} | {"NotModified": not_modified}


def response_not_modified() -> dict[str, str]:
    """Returns the reference to the reply for a conditional read without changes."""
    return {"$ref": "#/components/responses/NotModified"}


def response_of(kind: type[HimsError]) -> dict[str, str]:
    """Returns the reference to the reply of this refusal."""
    return {"$ref": f"#/components/responses/{_name(kind)}"}


def catalogue_error(kind: type[HimsError]) -> type[HimsError]:
    """Returns the error of the catalogue from which a domain error is derived, and whose code and status it has."""
    return next(base for base in kind.__mro__ if base in CATALOGUE)


def headers(*further: str) -> dict[str, dict[str, str]]:
    """Returns the headers of every reply, and further ones by name."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*EVERYWHERE, *further)}


def declared_headers() -> dict[str, Any]:
    """Returns all headers. A declared header is always sent, except those that depend on what happened."""
    return {name: {**header, "required": name not in _SOMETIMES} for name, header in HEADERS.items()}


def _name(kind: type[HimsError]) -> str:
    return "InternalError" if kind is HimsError else kind.__name__


def _response(kind: type[HimsError]) -> dict[str, Any]:
    example = {
        "success": False,
        "error": {
            "code": kind.code,
            "doc_url": f"https://api.hims.arocord.com/developers/errors#{kind.code}",
            "message": kind.message,
            "details": {"reason": kind.reason} | _DETAILS.get(kind, {}),
            "timestamp": "2025-01-15T10:30:00Z",
            "request_id": "req_123456",
        },
    }
    return {
        "description": f"`{kind.code}`: {kind.message}",
        "headers": headers(*_EXTRA.get(kind, ())),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorReply"}, "example": example}},
    }
