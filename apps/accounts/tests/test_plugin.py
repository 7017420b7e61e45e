"""The staff that tests begin with."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from apps.access.roles import Role
from apps.accounts.models import Doctor, User
from apps.accounts.tests import factories
from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db

WRITTEN = (User, Doctor, OutboxEvent, AuditEvent)
# What differs from one hiring to the next: ids, instants, and the salt of a password.
FRESH = {"id", "user_id", "object_id", "security_stamp", "password", "created_at", "updated_at", "occurred_at", "at"}


def hire_each() -> None:
    doctor = {"specialty": "Family medicine", "npi": factories.NPI, "languages": ["en", "es"]}
    for role in set(Role) - {Role.PATIENT}:
        factories.hire(f"{role}.ward", role.value, **(doctor if role is Role.DOCTOR else {}))


def rows_of(hiring: Callable[[], object]) -> dict[str, list[str]]:
    """All rows that a way of hiring writes, with the role in place of each user's id. Takes the hiring back."""
    with transaction.atomic():
        hiring()
        role_of = {str(pk): role for pk, role in User.objects.values_list("pk", "role")}
        rows = {model.__name__: [comparable(row, role_of) for row in model.objects.values()] for model in WRITTEN}
        transaction.set_rollback(True)
    return {name: sorted(lines) for name, lines in rows.items()}


def comparable(row: dict[str, Any], role_of: dict[str, str]) -> str:
    about = role_of.get(str(row.get("object_id") or row.get("user_id") or row.get("id")), "")
    kept = {name: value for name, value in row.items() if name not in FRESH}
    if "relayed_at" in kept:
        kept["relayed_at"] = kept["relayed_at"] is not None
    if "payload" in kept:
        kept["payload"] = {name: role_of.get(value, value) for name, value in kept["payload"].items()}
    if "detail" in kept:
        kept["detail"] = sorted(kept["detail"])
    return f"{about} {kept}"


def test_the_staff_fixture_writes_what_hiring_each_person_writes() -> None:
    expected = rows_of(hire_each)
    assert {name: len(rows) for name, rows in expected.items()} == {"User": 8, "Doctor": 1, "OutboxEvent": 8, "AuditEvent": 8}
    assert rows_of(factories.create_staff) == expected


def test_each_person_of_the_staff_can_sign_in(staff: dict[str, User]) -> None:
    assert set(staff) == {role.value for role in Role} - {Role.PATIENT}
    assert [factories.api_client(user).get("/auth/me").status_code for user in staff.values()] == [200] * len(staff)
