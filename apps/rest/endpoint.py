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
from apps.rest.limits import RateClass

Method = TypeVar("Method", bound=Callable[..., Any])


class _Public:
    def __repr__(self) -> str:
        return "PUBLIC"


PUBLIC: Final = _Public()
Need = Permission | _Public


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request body and the reply in its envelope, either of which may be left out."""

    request: Mapping[str, Any] | None = None
    reply: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The declaration. Without a `permission` nobody may call the method; PUBLIC asks for no sign-in.

    What is read: `query` the parameters, `request` the body. What is answered: `response` the data (one row of a page), or a
    `file` of this media type, whose refusals stay JSON. `paged`: it takes `page` and `limit`, and `offset` too where that is set.
    `creates`: it answers 201.

    `etag`: it answers one resource with its ETag; if it changes the resource, it heeds If-Match, for which the view has `held`.
    `recent_login`: the password must have been given within five minutes in this session (`POST /auth/reauthenticate`; a
    sign-in counts). `recent_login_fields` names the fields of the body whose change takes it, for the OpenAPI file: the service
    refuses. `about_patient`: the `pk` of the path is a patient's, and a refusal is audited under that patient.

    `refusals` are the errors of the service, for the OpenAPI file: their status, `details.reason` and message. What every
    operation may refuse (no sign-in, no permission, a bad field) is not listed. `warnings`, `operation_id` and `example` speak to
    the OpenAPI file alone, too.
    """

    permission: Need | None = None
    query: type[FilterSet] | None = None
    request: type[BaseSerializer] | None = None
    response: type[BaseSerializer] | None = None
    file: str = ""
    paged: bool = False
    offset: bool = False
    creates: bool = False
    etag: bool = False
    rate_class: RateClass | None = None
    recent_login: bool = False
    recent_login_fields: Sequence[str] = field(default=())
    about_patient: bool = False
    refusals: Sequence[type[HimsError]] = field(default=())
    warnings: Sequence[str] = field(default=())
    operation_id: str = ""
    example: Example | None = None


CLOSED: Final = Endpoint()


def endpoint(**declared: Any) -> Callable[[Method], Method]:
    """Declare a method of a HimsViewSet as an operation, by the fields of `Endpoint`.

    `create` answers 201 and `list` is paged unless the declaration says otherwise.
    """

    def declare(method: Method) -> Method:
        usual = {"creates": method.__name__ == "create", "paged": method.__name__ == "list"}
        method.endpoint = Endpoint(**{**usual, **declared})  # type: ignore[attr-defined]
        return method

    return declare


def of(view: Any, action: str | None) -> Endpoint:
    """Returns what a view, or its class, declares for an action; CLOSED where it declares nothing."""
    return getattr(getattr(view, action or "", None), "endpoint", CLOSED)


def all_of(view: Any) -> Mapping[str, Endpoint]:
    """Returns the declarations of a view, or of its class, by action."""
    kind = view if isinstance(view, type) else type(view)
    declared = {name: getattr(getattr(kind, name, None), "endpoint", None) for name in dir(kind)}
    return {name: one for name, one in declared.items() if isinstance(one, Endpoint)}
