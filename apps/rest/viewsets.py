"""The base class of all API views: who may call it, what it reads, and what it replies.

    class PatientViewSet(HimsViewSet):
        resource = "patient"
        plural = "patients"

        @endpoint(permission=Permission.PATIENT_VIEW, query=PatientFilter, response=PatientRow)
        def list(self, request: Request) -> Response: ...

`endpoint` explains what an operation declares; a method without a declaration is closed.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django_filters import FilterSet
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from apps.common import context
from apps.common.errors import Invalid, MethodNotAllowed, RateLimited
from apps.common.models import M
from apps.rest import (
    audit_log,
    conditional_reads,
    etags,
    filters,
    idempotency,
    limits,
    paging,
    renderers,
    responses,
    sample_ids,
    sparse_fields,
)
from apps.rest.endpoint import CLOSED, Endpoint
from apps.rest.limits import RateClass
from apps.rest.paging import Page, Window
from apps.rest.permissions import require_recent_login
from apps.rest.renderers import EnvelopeRenderer
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.sparse_fields import Expansion, FieldSelection

_READING = ("GET", "HEAD")


class HimsViewSet(ViewSetMixin, APIView):
    """Parses, limits, authorizes and replies. Contains no domain logic."""

    resource: ClassVar[str] = ""  # the name of one row, and its key in the `data` of a reply
    plural: ClassVar[str] = ""  # the key of a page's rows
    data_key: ClassVar[str | None] = None  # another key than `resource`; "" if `data` is the resource itself
    tag: ClassVar[str] = ""  # the heading in the OpenAPI file, if it is not the plural
    shows_current: ClassVar[bool] = False  # a 412 contains the current resource, so that both can be compared
    expands: ClassVar[Mapping[str, Expansion]] = {}  # what `?expand=` may add to an id
    idempotent: ClassVar[bool] = True  # False: a POST ignores Idempotency-Key
    extra: ClassVar[Mapping[str, Any]] = {}  # what a page has in addition to its rows, as JSON schema
    secret_parameters: ClassVar[Sequence[str]] = ()  # the view itself refuses any wrong value, always in the same way

    metadata_class = None
    format_kwarg = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    lookup_value_regex = "[^/]+"
    action: Any  # a name, or None if the resource has no such verb
    selection: FieldSelection | None = None
    _pending_access_records: Sequence[dict[str, Any]] = ()

    @property
    def by(self) -> Any:
        """The authenticated caller (an Actor with a session); None on a public endpoint without credentials."""
        return self.request.user

    @cached_property
    def endpoint(self) -> Endpoint:
        """The action's declaration; CLOSED if it has none."""
        return getattr(getattr(self, self.action or "", None), "endpoint", CLOSED)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Runs the checks before the action: JSON acceptable, authentication, rate limit, a method that the path has, permission,
        no unknown parameter, preconditions."""
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self._count(request)
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed
        self.check_permissions(request)
        if self.endpoint.recent_login:
            require_recent_login(request.user)
        self._refuse_unknown_parameters(request)
        if request.method not in _READING and self.action is not None:
            self._apply_preconditions(request)

    def get_renderers(self) -> list[BaseRenderer]:
        return renderers.accepting(self.endpoint.file) if self.endpoint.file else super().get_renderers()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Negotiates the reply. An action that returns a file is refused if the client accepts neither the file nor JSON; then
        only its refusals are rendered."""
        chosen = super().perform_content_negotiation(request, force)
        return (EnvelopeRenderer(), EnvelopeRenderer.media_type) if self.endpoint.file else chosen

    def get_for_update(self) -> tuple[Any, object]:
        """Returns the path's resource as the `data` of a reply shows it, and its version, with its row locked. Writes with `etag`
        need it."""
        raise NotImplementedError(f"{type(self).__name__} has writes with `etag` and no get_for_update()")

    def record_current(self, *, refused: int) -> None:
        """Audits that a refusal with this status shows the current resource. Views with `shows_current` need it."""
        raise NotImplementedError(f"{type(self).__name__} has `shows_current` and no record_current()")

    def limit_key(self, request: Request) -> str:
        """Returns whose quota the request uses: the user's, the API key's, else the address's."""
        who: Any = request.user
        if who is None:
            return f"ip:{context.current().ip}"
        return f"key:{who.key_id}" if who.key_id else f"user:{who.id}"

    def rate_class(self, method: str) -> RateClass:
        """Returns the class in which the action is counted: its own, else the one of its method."""
        return self.endpoint.rate_class or (RateClass.RETRIEVAL if method in _READING else RateClass.MODIFICATION)

    def id_in_path(self) -> UUID:
        """Returns the `pk` of the path. Raises NotFound if it is not an id."""
        return sample_ids.in_path(self.kwargs["pk"])

    def parse(self, kind: type[BaseSerializer[Any]] | None = None) -> dict[str, Any]:
        """Returns the validated body. Raises DRF's ValidationError, which becomes a 400 that names the fields."""
        declared = kind or self.endpoint.request
        assert declared is not None, f"{self.action} declares no request"
        body = declared(data=self.request.data, context={"by": self.by, "view": self})
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def filtered(self, rows: QuerySet[M]) -> tuple[QuerySet[M], bool]:
        """Returns the rows with the action's filters applied, and whether any filter was set."""
        kind = self._query()
        if not any(name in self.request.query_params for name in kind.base_filters):
            return rows, False
        filterset = kind(self.request.query_params, queryset=rows, request=self.request)
        if not filterset.is_valid():
            raise Invalid(errors=[{"field": name, "issue": str(issues[0])} for name, issues in filterset.errors.items()])
        return filterset.qs, True

    @cached_property
    def window(self) -> Window:
        """The window of a list that the request asks for."""
        return paging.read(self.request.query_params, offset_allowed=self.endpoint.offset)

    def page(self, page: Page, **extra: Any) -> Response:
        """Returns 200 with a page: its rows as the declared response, `pagination`, and the Link header.

        `extra` values are next to the rows.
        """
        window, total, path, params = self.window, page.total, self.request.path, self.request.query_params
        rows = self._response.represent_all(page.rows, self.by)
        self.shown = len(rows)
        pagination: dict[str, Any]
        if total is None:
            pagination, link = {"limit": window.limit}, paging.cursor_links(path, params, window, page.next)
        else:
            pagination, link = paging.block(window, total), paging.links(path, params, window, total, self.shown)
        if self.endpoint.takes_cursor:
            pagination["next_cursor"] = page.next.cursor if page.next else None
        return self.ok({self.plural: rows, **extra, "pagination": pagination}, headers={"Link": link})

    def validated_query(self) -> dict[str, Any]:
        """Returns the action's validated query parameters, without those not sent. Raises Invalid naming the parameter."""
        sent = self.request.query_params
        return filters.read(self._query(), sent) if sent else {}

    def sent_query(self) -> dict[str, str]:
        """Returns the query parameters as they were sent, for the audit log; the values of one are separated by commas."""
        return {name: ",".join(values) for name, values in self.request.query_params.lists()}

    def reply(
        self,
        row: Any,
        *,
        version: object = None,
        warnings: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        location: str = "",
    ) -> Response:
        """Returns the row as the declared response: 201 with its address if the operation creates, else 200.

        `version` is that of the row, for the ETag.
        """
        status = HTTPStatus.CREATED if self.endpoint.creates else HTTPStatus.OK
        headers = {**(headers or {}), "Location": location} if location else headers
        return responses.respond(self, status, self.represent(row), version=version, warnings=warnings, headers=headers)

    def represent(self, row: Any) -> dict[str, Any]:
        """Returns the `data` of a reply: the row as the declared response, within the permissions of the caller."""
        data = self._response.represent(row, self.by)
        return data if self.data_key == "" else {self.data_key or self.resource: data}

    def ok(
        self,
        data: Any,
        *,
        version: object = None,
        warnings: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Replies 200 with the envelope; `version` is the row's, for the ETag."""
        return responses.respond(self, HTTPStatus.OK, data, version=version, warnings=warnings, headers=headers)

    def file(self, content: bytes, *, name: str) -> HttpResponse:
        """Replies 200 with the bytes of a file, outside the envelope."""
        return responses.file(self, content, name=name)

    def record_access(self, action: str, *, patient_id: UUID | None = None, object_id: UUID | None = None, **detail: Any) -> None:
        """Audits what is shown. The audit row of a conditional read waits until it is known whether the reply is 304; that of a
        denial does not, because the refusal that follows would drop it."""
        is_shown = detail.get("outcome", audit_log.SUCCESS) == audit_log.SUCCESS
        row = {"action": action, "patient_id": patient_id, "object_id": object_id, **detail}
        conditional = self.request.method in _READING and "HTTP_IF_NONE_MATCH" in self.request.META
        if self.endpoint.etag and conditional and is_shown:
            self._pending_access_records = [*self._pending_access_records, row]
        else:
            audit_log.record(by=self.by, **row)

    def write_access_records(self, *, is_unchanged: bool) -> None:
        """Writes the audit rows that waited for the reply: 200, or 304 if nothing has changed."""
        rows, self._pending_access_records = self._pending_access_records, []
        for row in rows:
            if is_unchanged:
                conditional_reads.record_not_modified(self.by, who=self.limit_key(self.request), **row)
            else:
                audit_log.record(by=self.by, **row)

    @property
    def _response(self) -> type[ResponseSerializer]:
        response = self.endpoint.response
        assert response is not None, f"{self.action} declares no response"
        assert issubclass(response, ResponseSerializer), f"{self.action}: {response.__name__} is no ResponseSerializer"
        return response

    def _query(self) -> type[FilterSet]:
        assert self.endpoint.query is not None, f"{self.action} declares no query"
        return self.endpoint.query

    def _count(self, request: Request) -> None:
        verdict = limits.hit(self.rate_class(request.method or ""), self.limit_key(request))
        vars(request._request)["verdict"] = verdict  # the middleware writes the headers
        if not verdict.allowed:
            raise RateLimited(retry_after=verdict.retry_after)

    def _apply_preconditions(self, request: Request) -> None:
        """Wraps a write in what its headers request: If-Match, and around it Idempotency-Key.

        The order matters: a repeated request gets its first reply, even though its own first run has changed the version that it
        names.
        """
        verb = str(request.method).lower()
        handler = etags.guard(self, request, getattr(self, verb))
        if "HTTP_IDEMPOTENCY_KEY" in request.META:
            handler = idempotency.guard(self, request, handler)
        setattr(self, verb, handler)

    def _refuse_unknown_parameters(self, request: Request) -> None:
        if not request.query_params:
            return
        declared = self.endpoint
        known = set(declared.query.base_filters) if declared.query else set()
        known |= {"page", "limit"} if declared.paged else set()
        known |= {"offset"} if declared.offset else set()
        known |= sparse_fields.parameters_of(self, self.action, request.method or "")
        lists = {*sparse_fields.PARAMETERS, *(filters.lists_of(declared.query) if declared.query else ())}
        wrong = [
            {"field": name, "issue": issue}
            for name, values in request.query_params.lists()
            if name not in self.secret_parameters
            and (issue := _unclear(name, values, is_list=name in lists) if name in known else _unknown(known))
        ]
        if wrong:
            raise Invalid(errors=wrong)
        self.selection = sparse_fields.read(self)


def _unclear(name: str, values: Sequence[str], *, is_list: bool) -> str:
    if len(values) > 1 and not is_list:
        return "Send this parameter once."
    if any("\0" in value for value in values):  # PostgreSQL stores none, neither in a column nor in the audit row
        return "Null characters are not allowed."
    may_be_blank = (*filters.MAY_BE_BLANK, *sparse_fields.PARAMETERS)  # the latter refuse it themselves, with the known names
    if name in may_be_blank or all(value.strip() for value in values):
        return ""
    return "Must not be empty: give a value, or leave the parameter out."


def _unknown(known: set[str]) -> str:
    return f"Unknown parameter. Known parameters: {', '.join(sorted(known))}." if known else ("This operation has no parameters.")
