"""The two database roles at work: what a server refuses to start with, which process runs as which role, and what the migrations
grant."""

from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from hims import env, roles
from hims.launch import paths
from hims.tests import live
from hims.tests.test_settings import WHOLE, start

pytestmark = pytest.mark.django_db

OWNER = {"HIMS_DATABASE_ROLE": "owner"}
SERVE = "import hims.wsgi; print('serves')"
ASK_USER = "from hims import env; print(env.database()['USER'])"


def url_of(role: str, **settings: str) -> str:
    """The test's database, as that role, with settings of the session as a person with a server of their own would have them."""
    at = connection.settings_dict
    options = "&options=" + quote(" ".join(f"-c {name}={value}" for name, value in settings.items()), safe="") if settings else ""
    host = quote(str(at["HOST"]), safe="")
    return f"postgres://{role}@/{at['NAME']}?host={host}&port={at['PORT']}{options}"


@pytest.fixture
def embedded_server() -> None:
    if not str(connection.settings_dict["HOST"]).startswith("/"):
        pytest.skip("the roles of a server that others named are theirs")


@pytest.mark.usefixtures("embedded_server")
def test_production_does_not_start_as_the_owner_and_starts_as_the_application_role() -> None:
    as_owner = start(WHOLE | {"DATABASE_URL": url_of(paths.OWNER_ROLE)}, "-c", SERVE)
    assert as_owner.returncode != 0
    assert "The database role hims is a superuser." in as_owner.stderr
    as_application = start(WHOLE | {"DATABASE_URL": url_of(paths.APPLICATION_ROLE)}, "-c", SERVE)
    assert as_application.stdout == "serves\n", as_application.stderr


@pytest.mark.usefixtures("embedded_server")
def test_a_worker_of_production_does_not_start_as_the_owner() -> None:
    ended = start(
        WHOLE | {"DATABASE_URL": url_of(paths.OWNER_ROLE)}, "-m", "celery", "-A", "hims.celery:app", "worker", "-P", "solo"
    )
    assert ended.returncode != 0
    assert "HIMS does not start: The database role hims is a superuser." in ended.stderr


def test_production_starts_while_the_database_is_away() -> None:
    nowhere = f"postgres://hims_app@127.0.0.1:{live.free_port()}/hims"
    assert start(WHOLE | {"DATABASE_URL": nowhere}, "-c", SERVE).stdout == "serves\n"


def test_a_server_that_logs_what_rows_hold_is_named() -> None:
    """The tests' own server is the embedded one, which logs nothing of a row."""
    assert not [one for one in roles.faults() if "PostgreSQL" in one]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL log_min_duration_statement = 500")
        for name, value in (
            ("log_min_error_statement", "error"),
            ("log_error_verbosity", "default"),
            ("log_parameter_max_length_on_error", "-1"),
            ("log_parameter_max_length", "-1"),
            ("log_statement", "mod"),
        ):
            cursor.execute(f"SET LOCAL {name} = '{value}'")
            assert name in " ".join(roles.faults())
            cursor.execute(f"RESET {name}")
        cursor.execute("RESET log_min_duration_statement")
    assert not [one for one in roles.faults() if "PostgreSQL" in one]


def test_an_unsafe_first_connection_is_closed_again(monkeypatch: pytest.MonkeyPatch, settings) -> None:  # type: ignore[no-untyped-def]
    """A server that started while the database was away: its first connection is checked, and none is used unchecked."""
    settings.HIMS_ENV = "production"
    monkeypatch.setenv("HIMS_DATABASE_ROLE", "application")
    monkeypatch.setattr(roles, "_checked", False)
    closed: list[bool] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    with pytest.raises(ImproperlyConfigured, match="superuser"):
        roles._on_connection()
    assert closed


def test_servers_connect_as_the_application_and_migrate_as_the_owner(tmp_path: Path) -> None:
    sandbox = {"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(tmp_path)}
    assert start(sandbox, "-c", ASK_USER).stdout == "hims_app\n"
    assert start(sandbox | OWNER, "-c", ASK_USER).stdout == "hims\n"
    both = WHOLE | {"DATABASE_URL": "postgres://app@db/hims", "DATABASE_OWNER_URL": "postgres://boss@db/hims"}
    assert start(both, "-c", ASK_USER).stdout == "app\n"
    assert start(both | OWNER, "-c", ASK_USER).stdout == "boss\n"
    assert "DATABASE_OWNER_URL is not set" in start(WHOLE | OWNER, "-c", ASK_USER).stderr
    assert "HIMS_DATABASE_ROLE is 'root'" in start(WHOLE | {"HIMS_DATABASE_ROLE": "root"}, "-c", ASK_USER).stderr
    assert {"migrate", "sandbox"} <= env.OWNER_COMMANDS


def test_only_the_migration_service_of_compose_knows_the_owners_password() -> None:
    services = yaml.safe_load((paths.PROJECT / "compose.yaml").read_text())["services"]
    for name in ("web", "worker", "mail-worker", "beat"):
        assert "hims_app:${POSTGRES_APP_PASSWORD" in services[name]["environment"]["DATABASE_URL"]
        assert "POSTGRES_PASSWORD" not in str(services[name])
    assert "hims:${POSTGRES_PASSWORD" in services["migrate"]["environment"]["DATABASE_OWNER_URL"]
    flags = dict(part.removeprefix("-c").split("=") for part in services["postgres"]["command"][1:])
    assert {name: flags[name] for name in roles.QUIET} == {name: allowed[0] for name, allowed in roles.QUIET.items()}


@pytest.mark.usefixtures("embedded_server")
def test_a_table_that_a_migration_adds_is_the_applications_to_use() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE added_later (id int)")
        cursor.execute("SELECT has_table_privilege('hims_app', 'added_later', 'SELECT')")
        assert cursor.fetchone() == (False,)
        call_command("migrate", verbosity=0)
        cursor.execute("SELECT has_table_privilege('hims_app', 'added_later', 'SELECT, INSERT')")
        assert cursor.fetchone() == (True,)


@pytest.mark.usefixtures("embedded_server")
@pytest.mark.django_db(transaction=True)
def test_a_running_web_server_of_make_run_is_the_application_role(tmp_path: Path) -> None:
    """`make run` gives its children no role: they are what the settings make of the sandbox."""
    web = {"DATABASE_URL": url_of(paths.APPLICATION_ROLE), "HIMS_DATABASE_ROLE": "application"}
    with live.web(tmp_path / "web.log", **web) as server:
        reply = server.ask("POST", "/v1/auth/login", {"username": "nobody", "password": "wrong"})
        assert reply.status == 401, reply.body
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_auditevent WHERE action = 'session.refused'")
        assert cursor.fetchone() == (1,)
