"""Who may call an operation: roles, scopes, and a recent password."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.common import clock
from apps.common.errors import Forbidden, Unauthenticated
from apps.rest.endpoint import PUBLIC, Endpoint
from apps.rest.permissions import (
    MfaEnrollmentRequired,
    MissingScope,
    Needs,
    PersonRequired,
    ReauthenticationRequired,
    require,
    require_recent_login,
)
from apps.rest.tests.callers import Caller, LampPermission, api_key, user


def ask(by: Caller | None, need: Any) -> bool:
    view = SimpleNamespace(endpoint=Endpoint(permission=need))
    return Needs().has_permission(SimpleNamespace(user=by), view)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", [None, user("patient"), user("doctor"), api_key()])
def test_a_public_operation_takes_everyone(by: Caller | None) -> None:
    assert ask(by, PUBLIC)


@pytest.mark.parametrize("by", [user("doctor"), user("admin"), api_key("lab:read")])
def test_an_operation_without_a_declared_permission_takes_no_one(by: Caller) -> None:
    with pytest.raises(Forbidden):
        ask(by, None)


@pytest.mark.parametrize("need", [None, LampPermission.LAMP_VIEW])
def test_the_refusal_of_a_caller_without_credentials_states_the_header(need: Any) -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        ask(None, need)


@pytest.mark.parametrize(
    ("by", "need", "refusal"),
    [
        (user("doctor"), LampPermission.LAMP_VIEW, None),
        (user("doctor"), LampPermission.LAMP_SELL, None),
        (user("nurse"), LampPermission.LAMP_SELL, Forbidden),
        (user("patient"), LampPermission.LAMP_VIEW, Forbidden),
        (user("nobody_of_the_kind"), LampPermission.LAMP_VIEW, Forbidden),
        (api_key("lab:read"), LampPermission.LAMP_VIEW, None),
        (api_key("lab:write"), LampPermission.LAMP_VIEW, MissingScope),
        (api_key(), LampPermission.LAMP_VIEW, MissingScope),
        (api_key("lab:read", role="billing"), LampPermission.LAMP_VIEW, Forbidden),
        (api_key("lab:read", "lab:write"), LampPermission.LAMP_SELL, PersonRequired),
        (user("patient", enrollment_only=True), LampPermission.LAMP_VIEW, MfaEnrollmentRequired),
    ],
)
def test_the_role_needs_the_right_and_a_key_also_its_scope(by: Caller, need: Any, refusal: Any) -> None:
    if refusal is None:
        assert ask(by, need)
        return
    with pytest.raises(refusal) as raised:
        require(by, need)
    assert type(raised.value) is refusal


def test_a_refusal_names_the_missing_scope() -> None:
    with pytest.raises(MissingScope) as refusal:
        require(api_key(), LampPermission.LAMP_VIEW)
    assert refusal.value.details["required_scope"] == "lab:read"
    assert "lab:read" in refusal.value.message


NOW = clock.now()


@pytest.mark.parametrize(
    ("by", "allowed"),
    [
        (user(reauthenticated_at=NOW), True),
        (user(reauthenticated_at=NOW - timedelta(minutes=5)), True),
        (user(reauthenticated_at=NOW - timedelta(minutes=5, microseconds=1)), False),
        (user(), False),
        (api_key("lab:read"), False),
        (SYSTEM, True),
    ],
)
def test_a_sensitive_action_needs_the_password_within_five_minutes(by: Any, allowed: bool) -> None:
    with time_machine.travel(NOW, tick=False):
        if allowed:
            require_recent_login(by)
            return
        with pytest.raises(ReauthenticationRequired) as refusal:
            require_recent_login(by)
    assert (refusal.value.status, refusal.value.details["issue"]) == (401, "reauthentication_required")
