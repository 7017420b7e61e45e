"""What API keys and the staff over the API answer, against the OpenAPI file."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import Session, User
from apps.common import clock
from hims.tests import factories
from hims.tests.test_contract import agree, file, strict

pytestmark = pytest.mark.django_db

__all__ = ["file", "strict"]  # fixtures

DOCTOR = {
    "username": "dr.new",
    "email": "new@hims.test",
    "first_name": "A",
    "last_name": "B",
    "role": "doctor",
    "npi": "1993999998",
}


def test_keys_answer_as_the_file_says(strict: dict[str, Any], staff: dict[str, User]) -> None:
    me = factories.api_client(staff["nurse"])
    made = agree(strict, me.post("/api-keys", {"name": "x", "scopes": ["patients:read"]}), 201)["data"]["api_key"]
    agree(strict, me.post("/api-keys", {"name": "x", "scopes": ["x"]}), 400)
    for reply in (me.get("/api-keys"), me.get(f"/api-keys/{made['id']}"), me.post(f"/api-keys/{made['id']}/rotate")):
        agree(strict, reply, 200)
    agree(strict, factories.api_key_client(made["key"]).get("/patients"), 200)
    agree(strict, factories.api_key_client(made["key"]).post("/patients", {}), 403)
    agree(strict, factories.api_key_client(made["key"]).get("/patients", HTTP_X_API_KEY="other"), 400)
    agree(strict, me.call("DELETE", f"/api-keys/{made['id']}"), 200)
    agree(strict, me.call("DELETE", f"/api-keys/{made['id']}"), 409)
    agree(strict, factories.api_key_client(made["key"]).get("/patients"), 401)
    agree(strict, factories.api_client(staff["doctor"]).get(f"/api-keys/{made['id']}"), 404)


def test_users_answer_as_the_file_says(strict: dict[str, Any], staff: dict[str, User]) -> None:
    boss = factories.api_client(staff["admin"])
    made = agree(strict, boss.post("/users", DOCTOR), 201)["data"]["user"]
    agree(strict, boss.post("/users", DOCTOR), 409)
    for reply in (
        boss.get("/users"),
        boss.get(f"/users/{staff['nurse'].pk}"),
        boss.get(f"/users/{made['id']}"),
        boss.put(f"/users/{made['id']}", {"languages": ["en"]}),
        boss.post(f"/users/{made['id']}/deactivate"),
        boss.post(f"/users/{made['id']}/reactivate"),
        boss.post(f"/users/{made['id']}/revoke-sessions"),
    ):
        agree(strict, reply, 200)
    agree(strict, boss.post(f"/users/{staff['admin'].pk}/deactivate"), 409)
    agree(strict, factories.api_client(staff["nurse"]).get("/users"), 403)


def test_deactivating_a_patient_takes_no_password(staff: dict[str, User]) -> None:
    receptionist_api, patient = factories.api_client(staff["receptionist"]), factories.register_patient()
    Session.objects.update(reauthenticated_at=clock.now() - timedelta(hours=2))
    assert receptionist_api.post(f"/patients/{patient.pk}/deactivate").status_code == 200
