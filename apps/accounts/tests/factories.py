"""People for tests, and what speaks for them over the API."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.access.scopes import Scope
from apps.accounts import services
from apps.accounts.models import User
from apps.accounts.services import IssuedKey, NewKey, NewStaff
from apps.common import clock

PASSWORD = "a long enough pass phrase"
NPI = "1234567893"


def hire(username: str = "nurse.ward", role: str = "nurse", **details: Any) -> User:
    """Open an account."""
    names = {"first_name": username.title(), "last_name": "Tester", "email": f"{username}@hims.test"}
    staff = NewStaff(username=username, role=role, password=PASSWORD, **(names | details))
    user = services.hire(by=SYSTEM, staff=staff, check_password=False)
    user.reauthenticated_at = clock.now()  # as after a sign-in, for services that the test calls in this person's name
    return user


def create_staff() -> dict[str, User]:
    """One person for each staff role, by role."""
    doctor = {"specialty": "Family medicine", "npi": NPI, "languages": ["en", "es"]}
    return {
        role.value: hire(f"{role.value}.ward", role.value, **(doctor if role is Role.DOCTOR else {}))
        for role in Role
        if role is not Role.PATIENT
    }


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
