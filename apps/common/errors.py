"""The errors of HIMS. Only this module knows codes and statuses; a service raises an error named after what went wrong.

A domain error subclasses one of these, next to the service that raises it, and may pass `details` for the reply.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

LARGEST_BODY = 1024 * 1024  # bytes of a request


class HimsError(Exception):
    """An error that the caller gets in the error envelope."""

    code = "INTERNAL_ERROR"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    message = "Something went wrong on our side. Nothing was saved."
    reason = "internal_error"  # `details.reason`, for programs; a subclass that names none has its class name in snake_case
    headers: Mapping[str, str] = {}
    is_audited = True  # False: a denial like many recent ones, which gets no audit row
    withheld: UUID | None = None  # the patient who was requested and not shown, for the audit log only

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or self.message
        self.details = {"reason": self.reason} | details
        super().__init__(self.message)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "reason" not in vars(cls):
            cls.reason = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


class Invalid(HimsError):
    """Invalid in every state. `errors` lists every field with its issue; the first is also `field` and `issue`."""

    code = "VALIDATION_ERROR"
    reason = "validation_error"
    status = HTTPStatus.BAD_REQUEST
    message = "Invalid input data"

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str = "",
        issue: str = "",
        errors: list[dict[str, Any]] | None = None,
        **details: Any,
    ) -> None:
        listed = errors or [{"field": field, "issue": issue or message or self.message}]
        super().__init__(message, **listed[0], errors=listed, **details)


class Unauthenticated(HimsError):
    """The caller is not authenticated."""

    code = "AUTHENTICATION_ERROR"
    status = HTTPStatus.UNAUTHORIZED
    message = "Invalid or missing credentials"
    headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(HimsError):
    """The caller's role or API key may not do this."""

    code = "AUTHORIZATION_ERROR"
    status = HTTPStatus.FORBIDDEN
    message = "Insufficient permissions"


class NotFound(HimsError):
    """The resource does not exist or the caller may not see it: the reply is the same."""

    code = "NOT_FOUND"
    status = HTTPStatus.NOT_FOUND
    message = "Resource not found"


class MethodNotAllowed(HimsError):
    """The resource does not support the method; `allow` is the Allow header."""

    code = "METHOD_NOT_ALLOWED"
    status = HTTPStatus.METHOD_NOT_ALLOWED
    message = "This resource does not support that method"


class NotAcceptable(HimsError):
    """The client does not accept JSON."""

    code = "NOT_ACCEPTABLE"
    status = HTTPStatus.NOT_ACCEPTABLE
    message = "This resource returns application/json; send an Accept header that allows it"


class Conflict(HimsError):
    """The request is well formed, but the state or another row does not allow it."""

    code = "CONFLICT"
    status = HTTPStatus.CONFLICT
    message = "The current state does not allow this"


class Gone(HimsError):
    """The resource existed, but has expired."""

    code = "GONE"
    status = HTTPStatus.GONE
    message = "This has expired"


class PreconditionFailed(HimsError):
    """If-Match is stale."""

    code = "PRECONDITION_FAILED"
    status = HTTPStatus.PRECONDITION_FAILED
    message = "The resource has changed since you read it"


class RequestTimeout(HimsError):
    """The rest of the request did not arrive within its deadline."""

    code = "REQUEST_TIMEOUT"
    status = HTTPStatus.REQUEST_TIMEOUT
    message = "The request body arrived too slowly. Nothing was saved; send it again."


class PayloadTooLarge(HimsError):
    """The request is larger than allowed."""

    code = "PAYLOAD_TOO_LARGE"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    message = "The request body may be at most 1 MiB"


class UnsupportedMediaType(HimsError):
    """The body is not JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    message = "Send the body as application/json"


class IdempotencyMismatch(HimsError):
    """An Idempotency-Key was used before with another payload."""

    code = "IDEMPOTENCY_MISMATCH"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    message = "This Idempotency-Key was used with another payload"


class PreconditionRequired(HimsError):
    """If-Match is missing although a setting requires it."""

    code = "PRECONDITION_REQUIRED"
    status = HTTPStatus.PRECONDITION_REQUIRED
    message = "Send If-Match with the version you read"


class RateLimited(HimsError):
    """Too many requests; `retry_after` is in seconds."""

    code = "RATE_LIMITED"
    status = HTTPStatus.TOO_MANY_REQUESTS
    message = "Too many requests"

    def __init__(self, message: str | None = None, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.headers = {"Retry-After": str(retry_after), "X-RateLimit-Retry-After": str(retry_after)}


class Unavailable(HimsError):
    """A part of the system is unavailable."""

    code = "SERVICE_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    message = "A part of the system is not available right now. Nothing was saved; try again shortly."

    def __init__(self, message: str | None = None, *, retry_after: int = 2, **details: Any) -> None:
        super().__init__(message, **details)
        self.headers = {"Retry-After": str(retry_after)}


CATALOGUE: tuple[type[HimsError], ...] = (
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    Conflict,
    Gone,
    PreconditionFailed,
    RequestTimeout,
    PayloadTooLarge,
    UnsupportedMediaType,
    IdempotencyMismatch,
    PreconditionRequired,
    RateLimited,
    HimsError,
    Unavailable,
)


def for_status(status: int) -> type[HimsError]:
    """Returns the error of the catalogue with this HTTP status."""
    return next((kind for kind in CATALOGUE if kind.status == status), Invalid if 400 <= status < 500 else HimsError)
