"""People for tests, and what speaks for them over the API."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.access.scopes import Scope
from apps.accounts import services
from apps.accounts.events import StaffHired
from apps.accounts.models import Doctor, User
from apps.accounts.services import IssuedKey, NewKey, NewStaff
from apps.common import clock
from apps.events.services import emit

PASSWORD = "a long enough pass phrase"
NPI = "1234567893"


def hire(username: str = "nurse.ward", role: str = "nurse", **details: Any) -> User:
    """Open an account."""
    names = {"first_name": username.title(), "last_name": "Tester", "email": f"{username}@hims.test"}
    staff = NewStaff(username=username, role=role, password=PASSWORD, **(names | details))
    user = services.hire(by=SYSTEM, staff=staff, check_password=False)
    user.reauthenticated_at = clock.now()  # as after a sign-in, for services that the test calls in this person's name
    return user


@cache
def _password_hash() -> str:
    return make_password(PASSWORD)


@transaction.atomic
def create_staff() -> dict[str, User]:
    """Hires one person for each staff role. Returns them by role.

    Most tests begin with it. Therefore it writes all users in one statement, without the checks of `hire` that names are free; a
    test compares the rows with those of `hire`.
    """
    users = [
        User(
            username=f"{role}.ward",
            role=role.value,
            password=_password_hash(),
            first_name=f"{role}.Ward".title(),
            last_name="Tester",
            email=f"{role}.ward@hims.test",
        )
        for role in Role
        if role is not Role.PATIENT
    ]
    User.objects.bulk_create(users)
    staff = {user.role: user for user in users}
    Doctor.objects.create(user=staff[Role.DOCTOR], specialty="Family medicine", npi=NPI, languages=["en", "es"])
    for user in users:
        emit(StaffHired(user_id=user.pk, role=user.role), by=SYSTEM)
        user.reauthenticated_at = clock.now()
    return staff


@dataclass
class ApiClient:
    """An integrator with a user's token, or without one."""

    client: Client
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send JSON to /v1 and answer the response. A `str` or `bytes` body goes as it is."""
        raw = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        extra = {"HTTP_AUTHORIZATION": f"Bearer {self.token}"} if self.token else {}
        return self.client.generic(method, f"/v1{path}", raw, content_type="application/json", **(extra | headers))

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)


def api_client(user: User | None = None) -> ApiClient:
    """A user who is signed in over the API; a stranger without a user."""
    if user is None:
        return ApiClient(Client())
    signed_in = services.sign_in(username=user.username, password=PASSWORD, ip="127.0.0.1", user_agent="test")
    return ApiClient(Client(), signed_in.tokens.access_token)


def create_api_key(user: User, *scopes: str, **details: Any) -> IssuedKey:
    """An API key of a user, with the named scopes, else with all."""
    new = NewKey(name="a program", scopes=scopes or [scope.value for scope in Scope], **details)
    return services.create_key(by=user, owner_id=user.pk, new=new)


def api_key_client(key: str) -> ApiClient:
    """A program that sends its API key as the bearer."""
    return ApiClient(Client(), key)


def browser(user: User) -> Client:
    """A browser in which a user has signed in on the admin's page."""
    client = Client()
    response = client.post("/admin/login/?next=/admin/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 302, response.content.decode()
    return client
