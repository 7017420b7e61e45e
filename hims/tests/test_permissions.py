"""Every route of the API, as every role: `access` determines who gets in, and a route without a declaration is closed."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from apps.access.permissions import Permission
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.rest import endpoint
from apps.rest.endpoint import PUBLIC
from apps.rest.viewsets import HimsViewSet
from hims.tests import factories

pytestmark = pytest.mark.django_db


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Path template and view of every route under /v1."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("v1/"):
            yield path, pattern.callback


def doors() -> list[tuple[str, str, str, type[HimsViewSet]]]:
    """Path template, method, action and view class of everything that can be called."""
    undeclared = []
    for path, callback in routes():
        view = getattr(callback, "cls", None)
        if view is not None and issubclass(view, HimsViewSet):
            undeclared += [(path, method, action, view) for method, action in callback.actions.items() if method != "head"]
    return undeclared


def concrete(path: str) -> str:
    """Returns the path with an unknown id."""
    return re.sub(r"<str:\w+>", str(uuid4()), path).removeprefix("v1")


def test_every_route_under_v1_belongs_to_the_kit() -> None:
    strangers = [path for path, callback in routes() if not issubclass(getattr(callback, "cls", object), HimsViewSet)]
    assert set(strangers) <= {"v1/openapi.json", "v1/openapi.yaml"}


def test_every_door_declares_what_it_needs() -> None:
    assert len(doors()) > 15
    undeclared = [
        f"{method} {path} ({action})" for path, method, action, view in doors() if endpoint.of(view, action).permission is None
    ]
    assert not undeclared, "\n".join(undeclared)


def test_an_undeclared_action_is_refused(staff: dict[str, User]) -> None:
    class Forgetful(HimsViewSet):
        def list(self, request: Any) -> Any:
            return self.ok({})

    request = RequestFactory().get("/v1/forgotten", HTTP_AUTHORIZATION=f"Bearer {factories.api_client(staff['admin']).token}")
    assert Forgetful.as_view({"get": "list"})(request).status_code == 403


def test_a_stranger_gets_in_only_where_it_is_public() -> None:
    for path, method, action, view in doors():
        status = factories.api_client().call(method.upper(), concrete(path), {}).status_code
        assert (status == 401) == (endpoint.of(view, action).permission is not PUBLIC), f"{method} {path}: {status}"


def test_every_role_gets_in_where_the_matrix_says(staff: dict[str, User]) -> None:
    wrong = []
    for role, user in staff.items():
        api_client = factories.api_client(user)
        for path, method, action, view in doors():
            need = endpoint.of(view, action).permission
            if not isinstance(need, Permission) or action == "logout":
                continue
            status = api_client.call(method.upper(), concrete(path), {}).status_code
            assert status != 401, f"{method} {path} ended the session: what comes after it would show nothing"
            if (status == 403) == user.has_permission(need):
                wrong.append(f"{role}: {method} {path} answered {status}")
    assert not wrong, "\n".join(wrong)


def test_a_refused_door_is_on_record(staff: dict[str, User]) -> None:
    refused = factories.api_client(staff["manager"]).get("/consultations")
    row = AuditEvent.objects.get(outcome="denied")
    assert refused.status_code == 403
    assert (row.user_id, row.action, row.request_id) == (
        staff["manager"].pk,
        "consultation.list",
        refused.headers["X-Request-ID"],
    )
