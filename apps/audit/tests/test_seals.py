"""The chain: what a person with every right on the database changes behind our back is found, and named."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.access.actor import SYSTEM
from apps.audit import services
from apps.audit.models import Anchor, AuditEvent, Chain, Seal
from apps.audit.sealing import chain, seals
from apps.audit.verification import verifier
from apps.audit.verification.verifier import BrokenRow, Flaw
from apps.common import clock, keyring

pytestmark = pytest.mark.django_db

COLUMNS = {
    "user_id": "gen_random_uuid()",
    "role": "'admin'",
    "action": "'patient.real'",
    "outcome": "'denied'",
    "patient_id": "gen_random_uuid()",
    "object_id": "gen_random_uuid()",
    "ip": "'10.0.0.0/8'",
    "request_id": "'req_87654321'",
    "purpose": "'x'",
    "detail": """'{"shown": 4}'""",
    "at": "at + interval '1 microsecond'",
}


def note(count: int = 1, **about: Any) -> list[UUID]:
    return [services.record(by=SYSTEM, action="patient.read", patient_id=uuid4(), shown=3, **about) for _ in range(count)]


def note_at(at: datetime) -> AuditEvent:
    return AuditEvent.objects.create(at=at, action="test.noted", outcome="success")


@contextmanager
def superuser() -> Iterator[Any]:
    """A role for which triggers do not fire."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def tamper(sql: str, *values: Any) -> None:
    with superuser() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount > 0


def first_broken() -> BrokenRow | None:
    return verifier.verify(by=SYSTEM).first_broken


def place_of(row_id: UUID) -> int:
    return Seal.objects.get(event_id=row_id).sequence


def broken(flaw: Flaw, row_id: UUID) -> BrokenRow:
    """The row as `verify` names it, by what is known before it is tampered with."""
    seal = Seal.objects.get(event_id=row_id)
    return BrokenRow(flaw, seal.event_id, seal.at, seal.sequence)


# Sealing


def test_rows_are_sealed_in_one_unbroken_chain() -> None:
    ids = note(7)
    assert seals.seal() == 7
    assert seals.seal() == 0
    ids += note(2)
    assert seals.seal() == 2
    assert list(Seal.objects.values_list("sequence", "event_id")) == list(enumerate(ids, 1))
    result = verifier.verify(by=SYSTEM)
    assert (result.intact, result.checked, result.unsealed, result.first_broken) == (True, 9, 0, None)


def test_rows_not_sealed_yet_are_counted_and_break_nothing() -> None:
    note(3)
    result = verifier.verify(by=SYSTEM)
    assert (result.intact, result.checked, result.unsealed) == (True, 0, 3)
    assert seals.count_unsealed(Chain.objects.first()) == 4  # verifying is audited
    seals.seal()
    note(2)
    result = verifier.verify(by=SYSTEM)
    assert (result.intact, result.checked, result.unsealed) == (True, 4, 2)


def test_a_backlog_is_sealed_in_batches() -> None:
    note(11)
    batches = [seals.seal_batch(limit=4) for _ in range(4)]
    assert batches == [4, 4, 3, 0]
    assert first_broken() is None


def test_a_walk_longer_than_a_step_is_whole() -> None:
    rows = [AuditEvent(action="test.noted", outcome="success", role="", request_id="", purpose="") for _ in range(12_001)]
    AuditEvent.objects.bulk_create(rows, batch_size=4000)
    assert seals.seal() == 12_001
    progress: list[tuple[int, int]] = []
    result = verifier.verify(by=SYSTEM, watch=lambda checked, total: progress.append((checked, total)))
    assert (result.checked, result.unsealed) == (12_001, 0)
    assert progress == [(5_000, 12_001), (10_000, 12_001), (12_001, 12_001)]


def test_the_chain_goes_through_the_months() -> None:
    services.make_partitions(datetime(2024, 11, 1, tzinfo=UTC).date(), months=3)
    months = [datetime(2024, month, day, tzinfo=UTC) for month, day in ((11, 1), (11, 30), (12, 1), (12, 31))]
    rows = [note_at(at) for at in [*months, datetime(2023, 5, 5, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)]]
    assert seals.seal() == 6
    assert list(Seal.objects.values_list("event_id", flat=True)) == [row.pk for row in sorted(rows, key=lambda row: row.at)]
    assert first_broken() is None
    services.make_partitions(datetime(2023, 5, 1, tzinfo=UTC).date(), months=1)  # a sealed row moves to its month
    assert first_broken() is None
    december = broken(Flaw.CHANGED, rows[2].pk)
    tamper("UPDATE audit_auditevent SET role = 'x' WHERE id = %s", rows[2].pk)
    assert first_broken() == december


def test_a_seal_is_the_same_in_every_session() -> None:
    detail = {"zeta": 1.10, "a": 1e3, "naïve": "Ä\u2028", "ab": [True, None], "n": 123456789.123456789}
    note(1, **detail)
    at, forms = AuditEvent.objects.get().at, set()
    with connection.cursor() as cursor:
        for setting in ("TIME ZONE 'UTC'", "TIME ZONE 'Asia/Kolkata'", "extra_float_digits = -10", "datestyle = 'German'"):
            cursor.execute(f"SET LOCAL {setting}")
            cursor.execute(f"SELECT {chain.COLUMNS} FROM audit_auditevent a")
            forms.add(chain.canonical(cursor.fetchone()))
    (form,) = forms
    assert f'",{chain.microseconds(at)},null,"system"'.encode() in form
    assert json.loads(json.loads(form)[-1]) == detail | {"shown": 3}


def test_the_canonical_form_is_written_down() -> None:
    row = ["0196", 1736935200000007, None, "", "a", "success", None, None, "::1/128", "r", "", "{}"]
    assert chain.canonical(row) == b'["0196",1736935200000007,null,"","a","success",null,null,"::1/128","r","","{}"]'
    assert chain.seal(b"k", chain.NO_SEAL, 1, row).hex() == "27a9669a6433fd54f2386d319afa9f23ee5d7d3ba0875c078ce1e20b3b9a4ba2"


# Tampering


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_of_any_column_is_found_and_the_row_named(column: str) -> None:
    ids = note(5)
    seals.seal()
    expected = broken(Flaw.REMOVED if column == "at" else Flaw.CHANGED, ids[2])
    assert first_broken() is None
    tamper(f"UPDATE audit_auditevent SET {column} = {COLUMNS[column]} WHERE id = %s", ids[2])
    result = verifier.verify(by=SYSTEM)
    assert (result.intact, result.checked, result.first_broken) == (False, 2, expected)


def test_one_changed_byte_is_found() -> None:
    ids = note(3)
    seals.seal()
    expected = broken(Flaw.CHANGED, ids[1])
    tamper("""UPDATE audit_auditevent SET detail = '{"shown": 2}' WHERE id = %s""", ids[1])
    assert first_broken() == expected
    tamper("""UPDATE audit_auditevent SET detail = '{"shown": 3}' WHERE id = %s""", ids[1])
    assert first_broken() is None


def test_of_several_the_first_is_named() -> None:
    ids = note(6)
    seals.seal()
    expected = broken(Flaw.CHANGED, ids[1])
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id IN (%s, %s)", ids[4], ids[1])
    assert first_broken() == expected


def test_a_removed_row_is_found() -> None:
    ids = note(4)
    seals.seal()
    expected = broken(Flaw.REMOVED, ids[3])
    tamper("DELETE FROM audit_auditevent WHERE id = %s", ids[3])
    assert first_broken() == expected


def test_a_row_removed_with_its_seal_leaves_a_gap() -> None:
    ids = note(4)
    seals.seal()
    tamper("DELETE FROM audit_auditevent WHERE id = %s", ids[1])
    tamper("DELETE FROM audit_seal WHERE event_id = %s", ids[1])
    assert first_broken() == BrokenRow(Flaw.SEAL_REMOVED, sequence=2)
    tamper("UPDATE audit_seal SET sequence = sequence - 1 WHERE sequence > 2")
    assert first_broken() == broken(Flaw.CHANGED, ids[2])


def test_two_rows_that_exchange_what_they_say_are_found() -> None:
    first, second = note(2)
    seals.seal()
    expected = broken(Flaw.CHANGED, first)
    swap = """
    UPDATE audit_auditevent mine SET patient_id = other.patient_id, detail = other.detail FROM audit_auditevent other
    WHERE (mine.id, other.id) IN ((%s, %s), (%s, %s))
    """
    tamper(swap, first, second, second, first)
    assert first_broken() == expected


def test_two_seals_that_exchange_their_rows_are_found() -> None:
    first, second = note(2)
    seals.seal()
    other = AuditEvent.objects.get(pk=second)
    with superuser() as cursor:
        cursor.execute("UPDATE audit_seal SET event_id = %s WHERE event_id = %s", [uuid4(), first])
        cursor.execute("UPDATE audit_seal SET event_id = %s, at = %s WHERE event_id = %s", [first, other.at, second])
    assert first_broken() is not None
    assert first_broken().sequence == 1


def test_a_row_slipped_into_what_is_sealed_is_found_and_never_sealed() -> None:
    old = note_at(clock.now() - timedelta(hours=5))
    note(2)
    seals.seal(thorough=True)
    assert first_broken() is None
    slipped = note_at(old.at + timedelta(minutes=1))
    seals.seal(thorough=True)
    assert first_broken() == BrokenRow(Flaw.INSERTED, slipped.pk, slipped.at)
    assert not Seal.objects.filter(event_id=slipped.pk).exists()


def test_a_copy_of_a_sealed_row_with_its_id_is_found() -> None:
    old = note_at(clock.now() - timedelta(hours=5))
    seals.seal(thorough=True)
    copy = AuditEvent(pk=old.pk, at=old.at + timedelta(seconds=1), action="test.noted", outcome="success")
    AuditEvent.objects.bulk_create([copy])
    assert first_broken() == BrokenRow(Flaw.INSERTED, copy.pk, copy.at)


def test_a_row_outside_of_time_is_found() -> None:
    seals.seal()
    row = note_at(datetime(2030, 1, 1, tzinfo=UTC))
    tamper("UPDATE audit_auditevent SET at = '-infinity' WHERE id = %s", row.pk)
    assert first_broken() == BrokenRow(Flaw.INSERTED, row.pk)


def test_a_row_dated_ahead_does_not_close_the_present() -> None:
    note_at(clock.now() + timedelta(days=400))
    seals.seal(thorough=True)
    ids = note(2)
    assert seals.seal() == 2
    assert place_of(ids[0]) == 2
    assert first_broken() is None


def test_an_end_that_was_cut_off_is_found() -> None:
    ids = note(3)
    seals.seal()
    note(2)
    seals.seal()
    before = Seal.objects.get(sequence=3)
    tamper("DELETE FROM audit_auditevent WHERE id NOT IN (%s, %s, %s)", *ids)
    tamper("DELETE FROM audit_seal WHERE sequence > 3")
    assert first_broken() == BrokenRow(Flaw.SEAL_REMOVED, sequence=4)
    tamper("UPDATE audit_chain SET sequence = 3, hash = %s", bytes(before.hash))
    assert first_broken() == BrokenRow(Flaw.HEAD)
    with pytest.raises(seals.ChainBroken):
        seals.seal()  # and does not make it good


def test_a_head_that_is_gone_is_not_begun_anew() -> None:
    note(1)
    seals.seal()
    tamper("DELETE FROM audit_chain")
    assert first_broken() == BrokenRow(Flaw.HEAD)
    with pytest.raises(seals.ChainBroken):
        seals.seal()


def test_a_seal_behind_the_end_is_found() -> None:
    note(1)
    seals.seal()
    row = note_at(clock.now())
    Seal.objects.create(sequence=2, event_id=row.pk, at=row.at, hash=bytes(32))
    assert first_broken() == BrokenRow(Flaw.SEAL_ADDED, row.pk, row.at, 2)


def test_a_chain_computed_anew_with_another_key_does_not_pass() -> None:
    """What a superuser could do against a plain hash."""
    (changed,) = note(1)
    seals.seal()
    expected = broken(Flaw.CHANGED, changed)
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", changed)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {chain.COLUMNS} FROM audit_auditevent a WHERE id = %s", [changed])
        forged = chain.seal(b"a guess", chain.NO_SEAL, 1, cursor.fetchone())
    tamper("UPDATE audit_seal SET hash = %s", forged)
    assert first_broken() == expected


# Keys and anchors


def test_the_key_lies_encrypted_and_the_ring_may_turn(settings: Any) -> None:
    note(2)
    seals.seal()
    key = chain.key_of(Chain.objects.get())
    assert key not in bytes(Chain.objects.get().secret)
    settings.HIMS_KEY_RING = ["a newer key that is long enough for it", *settings.HIMS_KEY_RING]
    note(1)
    seals.seal()
    assert first_broken() is None
    anchor_a_day()
    settings.HIMS_KEY_RING = settings.HIMS_KEY_RING[:1]  # the old one is taken off
    assert chain.key_of(Chain.objects.get()) == key
    assert first_broken() is None
    settings.HIMS_KEY_RING = ["a stranger's key that is long enough too"]
    with pytest.raises(verifier.KeyUnreadable):
        first_broken()
    with pytest.raises(keyring.Unreadable):
        seals.seal()


def anchor_a_day() -> Anchor:
    """Let the day that is open be yesterday, and seal."""
    head = Chain.objects.get()
    key = chain.key_of(head)
    head.anchored_on -= timedelta(days=1)
    mac = chain.mac_of(head, key)
    tamper("UPDATE audit_chain SET anchored_on = %s, mac = %s", head.anchored_on, mac)
    seals.seal()
    return Anchor.objects.latest("day")


@pytest.mark.django_db(transaction=True)
def test_a_day_that_ended_is_anchored_in_its_table_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    note(3)
    seals.seal()
    last = Seal.objects.latest("sequence")
    note(1)
    with caplog.at_level(logging.INFO, logger="apps.audit"):
        anchor = anchor_a_day()
    assert (anchor.sequence, bytes(anchor.hash)) == (3, bytes(last.hash))
    assert anchor.day == datetime.now(UTC).date() - timedelta(days=1)
    (line,) = [record.getMessage() for record in caplog.records if "anchored" in record.getMessage()]
    assert line == f"audit log anchored: day {anchor.day} sequence 3 seal {bytes(last.hash).hex()}"
    seals.seal()
    assert Anchor.objects.count() == 1


def test_an_anchor_that_was_changed_is_found() -> None:
    ids = note(3)
    seals.seal()
    anchor_a_day()
    expected = broken(Flaw.ANCHOR, ids[2])
    tamper("UPDATE audit_anchor SET hash = %s", bytes(32))
    assert first_broken() == expected


def test_verifying_since_a_day_begins_at_the_anchor_before_it() -> None:
    ids = note(3)
    seals.seal()
    anchor_a_day()
    note(2)
    seals.seal()
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", ids[0])
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    result = verifier.verify(by=SYSTEM, since=today)
    assert (result.intact, result.checked) == (True, 2)
    assert not verifier.verify(by=SYSTEM, since=today - timedelta(days=1)).intact


# The command, and its audit rows


def test_the_command_says_what_it_found_and_ends_with_one_where_the_trail_is_broken(capsys: pytest.CaptureFixture) -> None:
    ids = note(3)
    seals.seal()
    call_command("verify_audit")
    assert "3 sealed rows checked, 0 not sealed yet.\nThe audit log is intact.\n" in capsys.readouterr().out
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", ids[1])
    with pytest.raises(CommandError, match=f"changed: row {ids[1]}, at .*, place in the chain 2") as refused:
        call_command("verify_audit", "--since", "2020-01-01")
    assert refused.value.returncode == 1


def test_verifying_is_on_record_and_a_broken_trail_is_a_failure() -> None:
    ids = note(1)
    seals.seal()
    first_broken()
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", ids[0])
    first_broken()
    rows = AuditEvent.objects.filter(action="trail.verified").order_by("at").values_list("outcome", "detail__intact")
    assert list(rows) == [("success", True), ("failure", False)]
