"""No server log tells of a patient: PostgreSQL's, the web server's and the worker's, after statements that were refused."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from apps.common.logs import LineFormatter
from apps.patients.models import Patient
from hims.launch import paths
from hims.tests import factories, live

pytestmark = pytest.mark.django_db(transaction=True)

MARKERS = ("Zyxmarker", "Qqmarker", "MARK-7731", "notes-marker", "1931-07-13", "555-0177")
PATIENT = {
    "first_name": "Zyxmarker",
    "last_name": "Qqmarker",
    "date_of_birth": "1931-07-13",
    "gender": "female",
    "mrn": "MARK-7731",
    "phone": "(213) 555-0177",
}


@contextmanager
def what_postgres_logs() -> Iterator[list[str]]:
    """The text that is added to PostgreSQL's log within the block."""
    log, content = paths.log("postgres"), [""]
    if not str(connection.settings_dict["HOST"]).startswith("/"):
        pytest.skip("the log of a server that others named is theirs")
    before = log.stat().st_size if log.exists() else 0
    yield content
    with log.open("rb") as file:
        file.seek(before)
        content[0] = file.read().decode(errors="replace")


def markers_in(text: str) -> list[str]:
    return [marker for marker in MARKERS if marker in text]


def test_no_server_log_holds_a_patients_data_after_refused_writes(tmp_path: Path) -> None:
    staff = factories.create_staff()
    receptionist_headers = {"Authorization": f"Bearer {factories.api_client(staff['receptionist']).token}"}
    factories.publish(staff["doctor"])
    with what_postgres_logs() as content, live.web(tmp_path / "web.log") as web, live.worker(tmp_path / "worker.log"):
        assert web.ask("POST", "/v1/patients", PATIENT, **receptionist_headers).status == 201
        assert web.ask("POST", "/v1/patients", PATIENT, **receptionist_headers).status == 409
        patient = str(Patient.objects.get(mrn="MARK-7731").pk)
        other = str(factories.register_patient().pk)
        visit = {"doctor_id": str(staff["doctor"].pk), "notes": "notes-marker", "duration_minutes": 15}
        first = web.ask(
            "POST",
            "/v1/appointments",
            visit | {"patient_id": patient, "scheduled_time": "2027-03-01T18:00:00Z"},
            **receptionist_headers,
        )
        assert first.status == 201, first.body
        second = web.ask(
            "POST",
            "/v1/appointments",
            visit | {"patient_id": other, "scheduled_time": "2027-03-01T19:00:00Z"},
            **receptionist_headers,
        )
        moved = {"scheduled_time": "2027-03-01T18:00:00Z", "notes": "notes-marker"}
        refused = web.ask("PUT", f"/v1/appointments/{second.json['data']['appointment']['id']}", moved, **receptionist_headers)
        assert refused.status == 409, refused.body
        assert web.ask("GET", "/v1/patients?search=Zyxmarker", **receptionist_headers).status == 200
    assert "ERROR:  duplicate key value" in content[0]  # what was refused is there, without its values
    for text in (content[0], (tmp_path / "web.log").read_text(), (tmp_path / "worker.log").read_text()):
        assert not markers_in(text)


def logged(error: BaseException) -> str:
    """The line of an error that is logged as a value, with its traceback, and as Celery does: its repr among named values."""
    about = (type(error), error, error.__traceback__)
    plain = logging.LogRecord("apps.ward", logging.ERROR, __file__, 1, "failed: %s", (error,), about)
    named = ({"exc": repr(error), "name": "task"},)
    celery = logging.LogRecord("celery", logging.ERROR, __file__, 1, "%(name)s raised unexpected: %(exc)s", named, about)
    return LineFormatter().format(plain) + LineFormatter().format(celery)


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("INSERT INTO marked VALUES ('Zyxmarker', '{notes-marker}', '1931-07-13')", "23505"),
        ("INSERT INTO marked VALUES ('Qqmarker\nZyxmarker', '{}', NULL)", "23502"),
        ("SELECT CAST('Zyxmarker' AS uuid)", "22P02"),
        ("SELECT marked_function('Zyxmarker')", "22012"),
    ],
)
def test_an_error_of_the_database_is_logged_without_the_values_of_its_row(statement: str, state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE marked (name text UNIQUE, notes text[], born date NOT NULL)")
        cursor.execute("INSERT INTO marked VALUES ('Zyxmarker', '{}', '1931-07-13')")
        cursor.execute(
            "CREATE FUNCTION pg_temp.marked_function(name text) RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN (SELECT length(name) / 0); END $$"
        )
        with what_postgres_logs() as content, pytest.raises(DatabaseError) as refused, transaction.atomic():
            cursor.execute(statement.replace("marked_function", "pg_temp.marked_function"))
        cursor.execute("DROP TABLE marked")
        cursor.execute("DROP FUNCTION pg_temp.marked_function")
    line = logged(refused.value)
    assert not markers_in(line), line
    assert "Traceback" in line
    assert state == "22P02" or not markers_in(content[0])
