"""A thief who has the whole database has no seed, code, token or password."""

from base64 import b32decode
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts import services
from apps.accounts.tests.authenticator import code
from apps.accounts.tests.factories import PASSWORD, api_client, browser, hire

pytestmark = pytest.mark.django_db


def everything() -> str:
    """Every row of every table, as text; what is binary also as the bytes it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL bytea_output = 'escape'")
        rows = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
        cursor.execute("SET LOCAL bytea_output = 'hex'")
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_no_secret_stands_in_clear_in_any_table(time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    user = hire()
    browser(user)
    tokens = api_client().post("/auth/login", {"username": user.username, "password": PASSWORD}).json()["data"]["tokens"]
    me = api_client()
    me.token = tokens["access_token"]
    seed = me.post("/auth/mfa/totp").json()["data"]["totp"]["secret"]
    codes = me.post("/auth/mfa/totp/confirm", {"code": code(seed)}).json()["data"]["recovery_codes"]
    fresh = api_client().post("/auth/refresh", {"refresh_token": tokens["refresh_token"]}).json()["data"]["tokens"]
    api_client().post("/auth/password/forgot", {"email": user.email})
    link = services.create_password_link(user_id=user.pk).partition("token=")[2]
    api_client().post("/auth/login", {"username": "a typed pass phrase", "password": "in the wrong box"})
    secrets = [seed, link, PASSWORD, "a typed pass phrase", "in the wrong box", *codes, *(raw.replace("-", "") for raw in codes)]
    secrets += [*list(tokens.values())[:2], *list(fresh.values())[:2]]
    stored = everything()
    assert user.username in stored  # the scan sees what is there
    leaked = [secret for secret in secrets if secret in stored or secret.encode().hex() in stored]
    assert not leaked
    assert b32decode(seed).hex() not in stored
