"""While the database is away or full: every page and every path says 503 and when to try again, and none a 500."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.common import disk
from hims.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    "admin:index",
    "admin:patients_patient_changelist",
    "admin:patients_patient_add",
    "admin:accounts_user_changelist",
    "admin:audit_auditevent_changelist",
    "admin:password_change",
    "admin:logout",
)
FAILURES = (
    psycopg.OperationalError("connection refused"),
    psycopg.errors.AdminShutdown("terminating connection due to administrator command"),
    psycopg.errors.DiskFull("could not extend file: No space left on device"),
    psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
)


@contextmanager
def outage_from(statement: int, failure: Exception = FAILURES[0]) -> Iterator[list[str]]:
    """Let PostgreSQL fail from the statement of this number on. Yields the statements that were sent."""
    sent: list[str] = []

    def send(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        if len(sent) > statement:
            with connection.wrap_database_errors:
                raise failure
        return execute(sql, params, many, context)

    with connection.execute_wrapper(send):
        yield sent


def says_that_it_is_away(response: Any) -> bool:
    page = response.content.decode()
    return response.status_code == 503 and response.headers["Retry-After"] == "2" and "HIMS is not available right now" in page


@pytest.fixture
def admin() -> Client:
    browser = factories.browser(factories.create_staff()["admin"])
    browser.raise_request_exception = False
    return browser


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_so_at_whichever_statement_the_database_goes_away(admin: Client, page: str) -> None:
    """Session, rights, the view, the template and the session's end: each of them asks the database."""
    address = reverse(page)
    send = admin.post if page == "admin:logout" else admin.get
    statement = 0
    while statement < 60:
        with outage_from(statement) as sent:
            response = send(address)
        if len(sent) <= statement:  # the whole page was made before the database went away
            break
        assert says_that_it_is_away(response), (statement, response.status_code, sent[-1])
        statement += 1
    assert statement > 2
    assert response.status_code in (200, 302)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_every_kind_of_outage_is_reported_alike_by_pages_and_by_the_api(admin: Client, failure: Exception) -> None:
    token = factories.api_client(User.objects.get(username="nurse.ward")).token
    with outage_from(1, failure):
        assert says_that_it_is_away(admin.get("/admin/"))
    with outage_from(0, failure):
        reply = admin.get("/v1/patients", headers={"Authorization": f"Bearer {token}"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert reply.headers["Retry-After"] == "2"


def test_a_wrong_statement_of_ours_is_still_an_error_of_ours(admin: Client) -> None:
    with outage_from(1, psycopg.errors.UndefinedColumn("no such column")):
        assert admin.get("/admin/").status_code == 500


def test_while_the_disk_is_full_reading_goes_on_and_writes_learn_when_to_come_back(
    admin: Client, settings: Any, tmp_path: Path
) -> None:
    receptionist = factories.api_client(User.objects.get(username="receptionist.ward"))
    patient = factories.register_patient()
    settings.HIMS_DATA_DIR = tmp_path
    (tmp_path / disk.FULL).touch()
    assert admin.get(reverse("admin:patients_patient_changelist")).status_code == 200
    assert receptionist.get(f"/patients/{patient.pk}").status_code == 200
    assert says_that_it_is_away(admin.post(reverse("admin:patients_patient_add"), {"last_name": "Roe"}))
    reply = receptionist.post("/patients", {"last_name": "Roe"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert reply.headers["Retry-After"] == "10"
    (tmp_path / disk.FULL).unlink()
    assert receptionist.post("/patients", {"last_name": "Roe"}).status_code == 400


def test_signing_out_makes_the_browser_forget_the_charts(admin: Client) -> None:
    response = admin.post(reverse("admin:logout"))
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert admin.get("/admin/").status_code == 302
