"""API keys at the desk."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import ApiKey, User
from apps.accounts.tests.factories import api_key_client, browser, create_api_key
from apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/apikey/"
ASKED = {"name": "Night sync", "scopes": ["patients:read"], "expires_at_0": "", "expires_at_1": "", "allowed_cidrs": "10.0.0.0/8"}


def shown(response: Any) -> str:
    """The key on the page that shows it."""
    page = response.content.decode()
    start = page.index("hims_test_")
    return page[start : start + len("hims_test_") + 48]


def page_of(name: str, key: ApiKey) -> str:
    return reverse(f"admin:accounts_apikey_{name}", args=[key.pk])


def test_a_key_made_at_the_desk_is_shown_once_and_works(staff: dict[str, User]) -> None:
    nurse_browser = browser(staff["nurse"])
    response = nurse_browser.post(f"{LIST}add/", ASKED)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    text, key = shown(response), ApiKey.objects.get()
    assert (key.user, key.scopes, key.allowed_cidrs) == (staff["nurse"], ["patients:read"], ["10.0.0.0/8"])
    assert api_key_client(text).get("/patients", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert text not in nurse_browser.get(LIST).content.decode() + nurse_browser.get(page_of("change", key)).content.decode()
    assert all(text not in str(session.get_decoded()) for session in BrowserSession.objects.all())
    assert AuditEvent.objects.get(action="api_key.made").object_id == key.pk


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scopes": []}, "This field is required"),
        ({"allowed_cidrs": "10.0.0.5/24"}, "has host bits set"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "10:00"}, "This time is in the past"),
        ({"name": ""}, "This field is required"),
    ],
    ids=str,
)
def test_a_slip_is_shown_on_the_form_and_makes_no_key(staff: dict[str, User], wrong: dict[str, Any], words: str) -> None:
    response = browser(staff["nurse"]).post(f"{LIST}add/", ASKED | wrong)
    assert words in response.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_rotated_and_revoked_at_the_desk(staff: dict[str, User]) -> None:
    made, nurse_browser = create_api_key(staff["nurse"]), browser(staff["nurse"])
    fresh = shown(nurse_browser.post(page_of("rotate", made.key)))
    assert fresh != made.text
    assert {api_key_client(text).get("/patients").status_code for text in (made.text, fresh)} == {200}
    assert nurse_browser.post(page_of("revoke", made.key)).status_code == 302
    assert {api_key_client(text).get("/patients").status_code for text in (made.text, fresh)} == {401}
    assert "already revoked" in nurse_browser.post(page_of("revoke", made.key)).content.decode()
    assert nurse_browser.get(page_of("rotate", made.key)).status_code == 403


def test_everybody_sees_the_own_keys_and_an_administrator_all(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"])
    assert made.key.prefix in browser(staff["nurse"]).get(LIST).content.decode()
    assert made.key.prefix not in browser(staff["doctor"]).get(LIST).content.decode()
    assert browser(staff["doctor"]).post(page_of("revoke", made.key)).status_code == 404
    boss = browser(staff["admin"])
    for query in ("", "?q=nurse.ward", f"?q={made.key.prefix}", "?state=active"):
        assert made.key.prefix in boss.get(LIST + query).content.decode()
    assert made.key.prefix not in boss.get(f"{LIST}?state=revoked").content.decode()


def test_the_list_of_staff_counts_live_keys_in_its_one_question(staff: dict[str, User]) -> None:
    boss: Client = browser(staff["admin"])
    boss.get("/admin/accounts/user/")
    with CaptureQueriesContext(connection) as before:
        boss.get("/admin/accounts/user/")
    create_api_key(staff["nurse"]), create_api_key(staff["nurse"])
    with CaptureQueriesContext(connection) as after:
        page = boss.get("/admin/accounts/user/").content.decode()
    assert len(after) == len(before)
    assert 'field-api_keys">2<' in page
