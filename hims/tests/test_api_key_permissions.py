"""Every route of the API through keys of every role: the owner's role and the key's scope must both say yes."""

from functools import cache
from typing import Any

import pytest

from apps.access.permissions import Permission
from apps.access.scopes import Scope
from apps.access.tests.role_table import ROLES
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.developers.contract import openapi
from apps.rest import endpoint
from hims.tests import factories
from hims.tests.contracts import KEY_SCOPES
from hims.tests.test_matrix import row_of
from hims.tests.test_permissions import concrete, doors

pytestmark = pytest.mark.django_db


def guarded() -> list[tuple[str, str, Permission]]:
    """Path, method and need of every door that is not public."""
    calls = [(path, method, endpoint.of(view, action).permission) for path, method, action, view in doors()]
    return [(path, method, need) for path, method, need in calls if isinstance(need, Permission)]


def test_each_operation_needs_the_scope_that_its_app_states() -> None:
    ours = {row_of(path, method): need.scope for path, method, need in guarded()}
    assert len(KEY_SCOPES) > 40
    wrong = {row: (ours.get(row, "no such operation"), scope) for row, scope in KEY_SCOPES.items() if ours.get(row, "") != scope}
    assert not wrong


@pytest.mark.parametrize("role", ROLES)
def test_a_key_needs_its_owners_right_and_just_that_scope(staff: dict[str, User], role: str, settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 100.0  # a key calls at many doors here
    user = staff[role]
    key = cache(lambda carried: factories.api_key_client(factories.create_api_key(user, *carried).text))
    wrong = []
    for path, method, need in guarded():
        scope = need.scope
        for carried in (frozenset(Scope) - {scope}, frozenset({scope}) if scope else frozenset(Scope)):
            reply = key(carried).call(method.upper(), concrete(path), {})
            passes = user.has_permission(need) and scope is not None and scope in carried
            required = reply.json().get("error", {}).get("details", {}).get("required_scope")
            asked = scope if user.has_permission(need) and scope is not None and scope not in carried else None
            if (reply.status_code == 403) == passes or required != asked or reply.status_code == 401 or reply.status_code >= 500:
                wrong.append(f"{method} {path} with {len(carried)} scopes: {reply.status_code}, required_scope {required}")
    assert not wrong, "\n".join(wrong)


def test_a_door_that_takes_a_person_says_so(staff: dict[str, User]) -> None:
    key = factories.api_key_client(factories.create_api_key(staff["admin"]).text)
    for method, path in (("POST", "/api-keys"), ("POST", "/auth/logout"), ("GET", "/auth/me"), ("GET", "/users")):
        reply = key.call(method, path, {})
        assert reply.status_code == 403
        assert "requires a person" in reply.json()["error"]["message"]
    assert AuditEvent.objects.filter(outcome="denied", user_id=staff["admin"].pk).count() == 4


def test_the_openapi_file_says_what_a_key_needs() -> None:
    file = openapi.as_dict()
    assert file["components"]["securitySchemes"]["apiKeyAuth"]["name"] == "X-API-Key"
    for path, method, need in guarded():
        operation = file["paths"][row_of(path, method).partition(" ")[2]][method]
        scope = need.scope
        assert operation["x-required-scope"] == scope
        assert ({"apiKeyAuth": []} in operation["security"]) == (scope is not None)
        assert (f"`{scope}`" if scope else "API key:** never") in operation["description"]
