"""What an API operation declares, once, on its method.

    class AppointmentViewSet(HimsViewSet):
        resource = "appointment"

        @endpoint(permission=Permission.APPOINTMENT_BOOK, request=BookBody, response=AppointmentShape, etag=True)
        def create(self, request: Request) -> Response: ...

Permissions, rate limits, parameters, preconditions, idempotency and the OpenAPI file all read this. A method without it is
closed: every caller gets 403.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from django_filters import FilterSet
from rest_framework.serializers import BaseSerializer

from apps.access.permissions import Permission
from apps.common.errors import HimsError
from apps.events.event import Event
from apps.rest.limits import RateClass
from apps.rest.paging import CURSOR

Method = TypeVar("Method", bound=Callable[..., Any])


class _Public:
    def __repr__(self) -> str:
        return "PUBLIC"


PUBLIC: Final = _Public()
Need = Permission | _Public


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request body, a reply in its envelope, or both. `path` has the ids of the path.

    The request works in the sandbox as it is printed: it names samples (`patient_001`), and its dates are `Upcoming`
    (`apps.rest.schema.examples`).
    """

    path: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The declaration. Without a `permission` every call is refused; PUBLIC needs no sign-in.

    Input: `query` are the parameters, `request` is the body. Output: `response` is the data (of a page, one row), or `file` is
    the media type of a file, whose refusals are still JSON. `paged`: it takes `page` and `limit`, and with `offset` also
    `offset`; `takes_cursor` follows from the filter set. `creates`: it replies 201.

    `etag`: it returns one resource with its ETag; if it changes the resource, it checks If-Match, for which the view has
    `get_for_update`. `recent_login`: the user must have entered the password within five minutes in this session (`POST
    /auth/reauthenticate`; a sign-in counts). `recent_login_fields` are the body's fields whose change needs that, for the OpenAPI
    file: the service refuses. `about_patient`: the path's `pk` is a patient's, and a refusal is audited under that patient.

    `refusals` are the errors of the service, for the OpenAPI file: their status, `details.reason` and message. Refusals that
    every operation can have (no sign-in, no permission, an invalid field) are not listed. `events` are those that the operation
    emits, each only if what it announces happened. `warnings`, `operation_id` and `example` are also only for the OpenAPI file.

    The docstring of the method is its text in the OpenAPI file: the first line is the summary, the paragraphs below it are the
    description.
    """

    permission: Need | None = None
    query: type[FilterSet] | None = None
    request: type[BaseSerializer[Any]] | None = None
    response: type[BaseSerializer[Any]] | None = None
    file: str = ""
    paged: bool = False
    offset: bool = False
    takes_cursor: bool = False
    creates: bool = False
    etag: bool = False
    rate_class: RateClass | None = None
    recent_login: bool = False
    recent_login_fields: Sequence[str] = field(default=())
    about_patient: bool = False
    refusals: Sequence[type[HimsError]] = field(default=())
    events: Sequence[type[Event]] = field(default=())
    warnings: Sequence[str] = field(default=())
    operation_id: str = ""
    example: Example | None = None


CLOSED: Final = Endpoint()


def endpoint(**declared: Any) -> Callable[[Method], Method]:
    """Declare a method of a HimsViewSet as an operation, by the fields of `Endpoint`.

    `create` replies 201 and `list` is paged unless the declaration says otherwise.
    """

    def declare(method: Method) -> Method:
        usual = {"creates": method.__name__ == "create", "paged": method.__name__ == "list"}
        usual["takes_cursor"] = CURSOR in getattr(declared.get("query"), "base_filters", ())
        method.endpoint = Endpoint(**{**usual, **declared})  # type: ignore[attr-defined]  # a function takes attributes
        return method

    return declare


def of(view: Any, action: str | None) -> Endpoint:
    """Returns what a view, or its class, declares for an action; CLOSED if it declares nothing."""
    return getattr(getattr(view, action or "", None), "endpoint", CLOSED)


def all_of(view: Any) -> Mapping[str, Endpoint]:
    """Returns the declarations of a view, or of its class, by action."""
    kind = view if isinstance(view, type) else type(view)
    declared = {name: getattr(getattr(kind, name, None), "endpoint", None) for name in dir(kind)}
    return {name: one for name, one in declared.items() if isinstance(one, Endpoint)}
