"""The database allows only additions to the audit log; and sealing with concurrent writers: late commits, two sealers, a sealer
that dies."""

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction

from apps.access.actor import SYSTEM
from apps.audit import services
from apps.audit.database_role import grants
from apps.audit.models import Anchor, AuditEvent, Chain, Seal
from apps.audit.sealing import seals
from apps.audit.verification import verifier
from apps.common import clock
from apps.common.ids import new_id
from apps.common.locks import LockName, key_of
from apps.common.tests.sessions import await_end_of_others, sessions

pytestmark = pytest.mark.django_db

TABLES = ("audit_auditevent", "audit_seal", "audit_anchor", "audit_chain")
INSERT = """
INSERT INTO audit_auditevent VALUES (%s, %s, NULL, '', 'test.noted', 'success', NULL, NULL, NULL, '', '', '{}')
"""


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_auditevent'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def refused(sql: str, leave: str = "", because: str = r"only grows|only moves forward") -> None:
    """With no more leave than said: as in production, the tests' own leave to TRUNCATE is taken back."""
    with transaction.atomic():
        execute("SELECT set_config('hims.audit_upkeep', %s, true)", leave)
        with pytest.raises(DatabaseError, match=because), transaction.atomic():
            execute(sql)


@pytest.fixture
def one_of_each() -> None:
    """A row in every table, one in a month that is made late and one in the table of the rest."""
    services.make_partitions(date(2031, 5, 1), months=1)
    for month in (5, 6):
        AuditEvent.objects.create(at=clock.now().replace(2031, month, 2), action="test.noted", outcome="success")
    services.record(by=SYSTEM, action="test.noted")
    seals.seal(thorough=True)
    Anchor.objects.create(day=date(2020, 1, 1), sequence=1, hash=b"x")


@pytest.mark.usefixtures("one_of_each")
def test_no_table_of_the_trail_lets_a_row_be_changed_or_removed() -> None:
    for table in (*TABLES, *partitions()):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
            (holds_rows,) = cursor.fetchone()
        refused(f"TRUNCATE {table}")
        if holds_rows:
            refused(f"DELETE FROM {table}")
        if holds_rows and table != "audit_chain":
            column = "sequence" if table in ("audit_seal", "audit_anchor") else "role"
            refused(f"UPDATE {table} SET {column} = {column}")
    assert {"audit_auditevent_2031_05", "audit_auditevent_other"} <= set(partitions())


@pytest.mark.usefixtures("one_of_each")
@pytest.mark.parametrize(
    "change",
    [
        "sequence = sequence - 1",
        *("swept = swept - interval '1 s'", "reach = reach - interval '1 s'", "anchored_on = anchored_on - 1"),
        *("swept = NULL", "reach = NULL", "anchored_on = NULL"),
    ],
)
def test_the_head_of_the_chain_only_moves_forward(change: str) -> None:
    refused(f"UPDATE audit_chain SET {change}")


def test_leave_to_truncate_is_no_leave_to_delete() -> None:
    services.record(by=SYSTEM, action="test.noted")
    refused("DELETE FROM audit_auditevent", leave="TRUNCATE")
    refused("UPDATE audit_auditevent SET role = role", leave="DELETE")


def test_making_a_month_leaves_no_leave_behind() -> None:
    AuditEvent.objects.create(at=clock.now().replace(2031, 5, 2), action="test.noted", outcome="success")
    execute("SET LOCAL hims.audit_upkeep = ''")
    services.make_partitions(date(2031, 5, 1), months=1)
    refused("DELETE FROM audit_auditevent_2031_05")


def test_the_triggers_that_refuse_are_for_no_insert() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_or(tgtype::int & 4 > 0) FROM pg_trigger "
            " WHERE tgrelid = ANY (%s::regclass[]) AND tgname LIKE 'audit%%'",
            [[*partitions(), "audit_auditevent"]],
        )
        triggers, on_insert = cursor.fetchone()
    assert triggers >= 2 * len(partitions())
    assert not on_insert


@pytest.fixture
def application() -> Iterator[None]:
    """The rest of the test runs as the application role, which has the rights that every migration ends with."""
    partition_of_next_month = services.make_partitions(date(2031, 5, 1), months=1)
    assert partition_of_next_month == ["audit_auditevent_2031_05"]
    services.record(by=SYSTEM, action="test.noted")
    seals.seal(thorough=True)
    assert grants.apply(grants.ApplicationRole("hims_app", "p'w"))
    execute("SET LOCAL SESSION AUTHORIZATION hims_app")
    yield
    execute("RESET SESSION AUTHORIZATION")


@pytest.mark.usefixtures("application")
def test_the_application_role_writes_seals_and_verifies_the_log() -> None:
    services.record(by=SYSTEM, action="test.noted")
    assert services.make_partitions(date(2032, 1, 1), months=1) == ["audit_auditevent_2032_01"]
    services.record(by=SYSTEM, action="test.noted")
    assert seals.seal(thorough=True) == 2
    assert verifier.verify(by=SYSTEM).intact


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("leave", ["", "DELETE", "TRUNCATE", "UPDATE"])
def test_the_application_role_cannot_rebuild_the_chain_nor_change_a_row(leave: str) -> None:
    services.make_partitions(date(2032, 1, 1), months=1)  # one made for the application, by the owner's function
    for statement in (
        "TRUNCATE audit_seal, audit_anchor, audit_chain",
        *(f"DELETE FROM {table}" for table in (*TABLES, *partitions())),
        *(f"TRUNCATE {table}" for table in (*TABLES, *partitions())),
        *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in TABLES),
        *(f"DROP TABLE {table} CASCADE" for table in TABLES),
        "UPDATE audit_auditevent SET role = 'x'",
        "UPDATE audit_auditevent_2031_05 SET role = 'x'",
        "UPDATE audit_seal SET sequence = 9",
        "UPDATE audit_anchor SET sequence = 9",
        "UPDATE audit_chain SET sequence = 9",
        "INSERT INTO audit_auditevent_2031_05 SELECT * FROM audit_auditevent",  # past the parent
        "DROP TRIGGER audit_rows_stay ON audit_seal",
        "CREATE TRIGGER mine BEFORE INSERT ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "ALTER FUNCTION audit_make_partition(date) SECURITY INVOKER",
        "CREATE TABLE audit_mine (id int)",
        "SET LOCAL session_replication_role = replica",
        f'SET LOCAL ROLE "{connection.settings_dict["USER"]}"',
        "SELECT audit_advance_chain(secret, 0, hash, reach, swept, anchored_on, mac) FROM audit_chain",  # backwards
        "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', 'x', now())",
    ):
        if statement.startswith("CREATE TABLE"):
            refused(statement, leave=leave, because="permission denied for schema")
        else:
            refused(statement, leave=leave, because=r"permission denied|must be (able to )?own|only moves forward")


ADVANCE = "SELECT audit_advance_chain({}) FROM audit_chain"
HEAD = {name: name for name in ("secret", "sequence", "hash", "reach", "swept", "anchored_on", "mac")}


def advance(**changes: str) -> str:
    """The statement that moves the chain's head to where it is, except for these columns."""
    return ADVANCE.format(", ".join((HEAD | changes).values()))


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sequence": "0"}, "position"),
        ({"sequence": "sequence - 1", "hash": "'\\x00'::bytea"}, "position"),
        ({"sequence": "sequence + 1"}, "position"),
        ({"sequence": "NULL"}, "position"),
        ({"hash": "'\\x00'::bytea"}, "hash"),
        ({"hash": "NULL"}, "hash"),
        ({"reach": "reach - interval '1 s'"}, "forward"),
        ({"reach": "NULL"}, "forward"),
        ({"reach": "now() + interval '1 day'"}, "future"),
        ({"swept": "swept - interval '1 s'"}, "forward"),
        ({"swept": "NULL"}, "forward"),
        ({"swept": "'infinity'"}, "future"),
        ({"anchored_on": "anchored_on - 1"}, "no anchor|forward"),
        ({"anchored_on": "NULL"}, "no anchor"),
        ({"anchored_on": "anchored_on + 1"}, "no anchor"),
        ({"secret": "'\\x00'::bytea"}, "key"),
    ],
)
def test_the_application_role_moves_the_chain_to_no_position_but_the_next(changes: dict[str, str], fault: str) -> None:
    before = Chain.objects.values().get()
    refused(advance(**changes), because=fault)
    assert Chain.objects.values().get() == before
    execute(advance())  # the head as it is


@pytest.mark.usefixtures("application")
def test_the_application_role_does_not_move_the_chain_past_the_seals_it_wrote() -> None:
    execute("INSERT INTO audit_seal SELECT sequence + 1, event_id, at + interval '1 s', '\\x01' FROM audit_seal")
    refused(advance(sequence="sequence + 2", hash="'\\x01'::bytea"), because="position")
    refused(advance(sequence="sequence + 1"), because="hash")
    execute(advance(sequence="sequence + 1", hash="'\\x01'::bytea"))
    refused(advance(sequence="sequence - 1"), because="position")


@pytest.mark.usefixtures("application")
def test_the_application_role_anchors_the_day_that_ended_with_the_position_it_ended_at() -> None:
    execute("RESET SESSION AUTHORIZATION")
    execute("ALTER TABLE audit_chain DISABLE TRIGGER audit_only_forward")
    execute("UPDATE audit_chain SET anchored_on = anchored_on - 1")
    execute("ALTER TABLE audit_chain ENABLE TRIGGER audit_only_forward")
    execute("SET LOCAL SESSION AUTHORIZATION hims_app")
    refused(advance(anchored_on="anchored_on + 1"), because="no anchor")
    execute("INSERT INTO audit_anchor SELECT anchored_on, sequence, '\\x01' FROM audit_chain")
    refused(advance(anchored_on="anchored_on + 1"), because="no anchor")  # of another hash


def test_leave_for_upkeep_is_the_owners_alone() -> None:
    """A role that was given DELETE by mistake meets the trigger."""
    services.record(by=SYSTEM, action="test.noted")
    grants.apply(grants.ApplicationRole("hims_app"))
    execute("GRANT DELETE, TRUNCATE ON audit_seal, audit_auditevent TO hims_app")
    seals.seal()
    execute("SET LOCAL SESSION AUTHORIZATION hims_app")
    refused("DELETE FROM audit_seal", leave="DELETE")
    refused("TRUNCATE audit_seal", leave="TRUNCATE")
    execute("RESET SESSION AUTHORIZATION")


def excessive_privileges() -> str:
    execute("SET LOCAL SESSION AUTHORIZATION hims_app")
    privileges = " ".join(grants.excessive_privileges())
    execute("RESET SESSION AUTHORIZATION")
    return privileges


def test_the_rights_that_the_application_role_must_not_have_are_named() -> None:
    assert "superuser" in " ".join(grants.excessive_privileges())  # the tests' own role
    grants.apply(grants.ApplicationRole("hims_app"))
    assert not excessive_privileges()
    for given, expected in (
        ("GRANT UPDATE (sequence) ON audit_seal TO hims_app", "UPDATE on audit_seal"),
        ("GRANT DELETE ON audit_auditevent_other TO hims_app", "DELETE on audit_auditevent_other"),
        ("GRANT TRUNCATE, TRIGGER ON audit_chain TO hims_app", "TRUNCATE, TRIGGER on audit_chain"),
        ("ALTER TABLE audit_anchor OWNER TO hims_app", "owns audit_anchor"),
        ("ALTER ROLE hims_app CREATEROLE", "CREATEROLE"),
        ("ALTER SCHEMA public OWNER TO hims_app", "owns the schema public"),
        (f'ALTER DATABASE "{connection.settings_dict["NAME"]}" OWNER TO hims_app', "owns the schema public"),
        (f'GRANT "{connection.settings_dict["USER"]}" TO hims_app', f"is a member of {connection.settings_dict['USER']}"),
        ("GRANT pg_execute_server_program TO hims_app", "is a member of pg_execute_server_program"),
    ):
        with transaction.atomic():
            execute(given)
            assert expected in excessive_privileges()
            transaction.set_rollback(True)


def test_the_next_migration_takes_back_what_was_given_since() -> None:
    execute("GRANT ALL ON audit_seal, audit_auditevent_other TO hims_app")
    assert excessive_privileges()
    grants.apply(grants.ApplicationRole("hims_app"))
    assert not excessive_privileges()


def test_an_installation_with_one_role_grants_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (name,) = cursor.fetchone()
    assert not grants.apply(grants.ApplicationRole(name, "x"))


# Concurrent writers: real connections


def connect() -> psycopg.Connection:
    return connections["default"].copy().get_new_connection(connection.get_connection_params())


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[psycopg.Connection]:
    """Another session of the same database, in a transaction."""
    with closing(connect()) as other:
        yield other


def test_a_row_that_commits_late_is_sealed_behind_rows_that_are_later(elsewhere: psycopg.Connection) -> None:
    slow, slow_at = new_id(), clock.now() - timedelta(minutes=30)
    near, near_at = new_id(), clock.now()
    elsewhere.execute(INSERT, [slow, slow_at])
    elsewhere.execute(INSERT, [near, near_at])
    later = [services.record(by=SYSTEM, action="test.noted") for _ in range(3)]
    assert seals.seal() == 3
    seals.seal(thorough=True)
    elsewhere.commit()
    assert seals.seal() == 1  # within seconds: the next pass
    assert seals.seal(thorough=True) == 1  # within the hour: the next thorough one
    assert list(Seal.objects.values_list("event_id", flat=True)) == [*later, near, slow]
    assert verifier.verify(by=SYSTEM).intact


def test_of_two_sealers_at_once_one_seals_and_the_other_does_nothing(elsewhere: psycopg.Connection) -> None:
    services.record(by=SYSTEM, action="test.noted")
    elsewhere.execute("SELECT pg_advisory_xact_lock(%s)", [key_of(LockName.AUDIT_SEALING)])
    assert seals.seal() == 0
    elsewhere.rollback()
    assert seals.seal() == 1


@pytest.mark.django_db(transaction=True)
def test_sealers_and_writers_at_once_make_one_whole_chain() -> None:
    failures: list[BaseException] = []

    def work(what: Any, times: int) -> None:
        try:
            for _ in range(times):
                what()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    writers = [Thread(target=work, args=(lambda: services.record(by=SYSTEM, action="test.noted"), 150)) for _ in range(3)]
    sealers = [Thread(target=work, args=(lambda: seals.seal(thorough=True), 40)) for _ in range(3)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in (*writers, *sealers):
        thread.join(60)
    seals.seal(thorough=True)
    assert not failures
    assert Seal.objects.count() == 450 == Chain.objects.get().sequence
    assert verifier.verify(by=SYSTEM).intact


@pytest.mark.django_db(transaction=True)
def test_a_sealer_killed_in_the_middle_leaves_the_chain_as_it_was() -> None:
    services.record(by=SYSTEM, action="test.noted")
    seals.seal()
    before = (Seal.objects.count(), Chain.objects.get().sequence)
    for _ in range(5):
        services.record(by=SYSTEM, action="test.noted")
    known = sessions()
    pid = os.fork()
    if pid == 0:  # a process of its own, on a connection of its own, that dies before it commits
        connections.close_all = lambda: None  # type: ignore[method-assign]
        connection.connection = None
        try:
            with transaction.atomic():
                sealed = seals.seal_batch()
                os.kill(os.getpid(), 9 if sealed == 5 else 15)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 9
    await_end_of_others(known)  # until then the chain is locked
    assert (Seal.objects.count(), Chain.objects.get().sequence) == before
    assert seals.seal() == 5
    assert verifier.verify(by=SYSTEM).intact


def test_a_pass_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services.record(by=SYSTEM, action="test.noted")
    execute("CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
    execute("CREATE TRIGGER no BEFORE INSERT ON audit_chain FOR EACH ROW EXECUTE FUNCTION pg_temp.no()")
    with pytest.raises(DatabaseError), transaction.atomic():
        seals.seal()
    assert not Seal.objects.exists()


def test_days_are_counted_in_utc() -> None:
    seals.seal()
    assert Chain.objects.get().anchored_on == clock.now().astimezone(UTC).date()
