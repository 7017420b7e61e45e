"""The anchor file, which lies outside the database, and the worker's verification of the whole log, a step at a time."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.access.actor import SYSTEM
from apps.audit import tasks
from apps.audit.models import AuditEvent, Chain, Seal, VerificationProgress
from apps.audit.sealing import anchor_file, chain, seals
from apps.audit.tests.test_seals import anchor_a_day, note, tamper
from apps.audit.verification import full_verification, progress, verifier
from apps.audit.verification.full_verification import VerificationStep
from apps.audit.verification.verifier import BrokenRow, Flaw
from apps.common import clock
from apps.common.locks import LockName, key_of

pytestmark = pytest.mark.django_db


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in anchors().read_text().splitlines()]


def anchors() -> Path:
    return Path(django_settings.HIMS_AUDIT_ANCHOR_FILE)


def empty_the_chain() -> None:
    """What the application's role could do before, and the owner still can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hims.audit_upkeep = 'TRUNCATE'")
        cursor.execute("TRUNCATE audit_seal, audit_anchor, audit_chain, audit_verification")


def flaw_of(done: VerificationStep | None) -> Flaw | None:
    return done.broken.flaw if done and done.broken else None


def seal(count: int = 0) -> None:
    if count:
        note(count)
    seals.seal()


@pytest.mark.django_db(transaction=True)
def test_the_chains_beginning_each_anchor_and_each_verification_lie_outside_the_database() -> None:
    seal(3)
    anchor = anchor_a_day()
    full_verification.step()
    begun, anchored, verified = lines()
    last = bytes(Seal.objects.get(sequence=3).hash).hex()
    name = chain.id_of(chain.key_of(Chain.objects.get()))
    assert (begun["kind"], begun["chain"], begun["sequence"], begun["seal"]) == ("begun", name, 3, last)
    assert (anchored["kind"], anchored["day"], anchored["sequence"], anchored["seal"]) == (
        "anchored",
        anchor.day.isoformat(),
        3,
        bytes(anchor.hash).hex(),
    )
    assert (verified["kind"], verified["sequence"]) == ("verified", 3)
    assert anchors().stat().st_mode & 0o077 == 0
    assert verifier.verify(by=SYSTEM).intact


@pytest.mark.django_db(transaction=True)
def test_a_chain_that_is_empty_though_the_anchors_know_of_one_is_broken_and_not_begun_anew() -> None:
    seal(3)
    with transaction.atomic():
        empty_the_chain()
    for result in (verifier.verify(by=SYSTEM), verifier.verify_recent(by=SYSTEM)):
        assert (result.intact, result.first_broken and result.first_broken.flaw) == (False, Flaw.LOST)
    done = full_verification.step()
    assert flaw_of(done) == Flaw.LOST
    with pytest.raises(seals.ChainBroken):
        seals.seal()
    with pytest.raises(CommandError, match="chain lost"):
        call_command("verify_audit")


@pytest.mark.django_db(transaction=True)
def test_a_chain_built_anew_is_broken_though_every_seal_of_it_is_right() -> None:
    seal(3)
    known = anchors().read_bytes()
    with transaction.atomic():
        empty_the_chain()
    anchors().unlink()
    seals.seal()  # an attacker with the key ring and the owner's role
    assert verifier.verify(by=SYSTEM).intact
    anchors().write_bytes(known)  # the copy from the other machine
    assert verifier.verify(by=SYSTEM).first_broken.flaw == Flaw.REPLACED  # type: ignore[union-attr]
    assert verifier.verify_recent(by=SYSTEM).first_broken.flaw == Flaw.REPLACED  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_a_chain_younger_than_the_anchors_say_is_broken() -> None:
    seal(2)
    head = Chain.objects.get()
    seal(3)
    seals._recorded.clear()
    seal()
    anchor_a_day()
    with transaction.atomic():  # the state of an earlier hour, whole in itself
        tamper("DELETE FROM audit_seal WHERE sequence > 2")
        tamper("DELETE FROM audit_anchor")
        tamper(
            "UPDATE audit_chain SET sequence = 2, hash = %s, reach = %s, swept = %s, anchored_on = %s, mac = %s",
            *(bytes(head.hash), head.reach, head.swept, head.anchored_on, bytes(head.mac)),
        )
    assert verifier.verify_recent(by=SYSTEM).first_broken == BrokenRow(Flaw.LOST, sequence=3)
    seals._recorded.clear()  # another worker
    with pytest.raises(seals.ChainBroken):
        seal(1)


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_differs_from_the_copy_of_the_anchor_file_is_named(tmp_path: Path) -> None:
    seal(3)
    copy = tmp_path / "copy.jsonl"
    record = lines()[0]
    copy.write_text(json.dumps(record | {"seal": "00" * 32}) + "\n")
    with pytest.raises(CommandError, match=r"anchor changed: row .* place in the chain 3"):
        call_command("verify_audit", "--anchors", str(copy))
    with pytest.raises(CommandError, match="contains no anchors"):
        call_command("verify_audit", "--anchors", str(tmp_path / "nothing"))


@pytest.mark.django_db(transaction=True)
def test_a_file_that_could_not_be_written_is_made_complete_later(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    right = settings.HIMS_AUDIT_ANCHOR_FILE
    settings.HIMS_AUDIT_ANCHOR_FILE = "/proc/no/such/folder"
    seal(2)
    assert "anchor file is not written" in caplog.text
    settings.HIMS_AUDIT_ANCHOR_FILE = right
    anchor_a_day()
    assert [line["kind"] for line in lines()] == ["begun", "anchored"]


def test_a_line_that_a_full_disk_cut_short_hides_no_other(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        seal(2)
    with anchors().open("a") as file:
        file.write('{"kind": "anch')
    anchor_file.append_verified(chain_id="c", sequence=2, seal=b"x")
    assert [record.kind for record in anchor_file.read()] == ["begun", "verified"]


def test_a_file_that_may_not_be_read_is_a_refusal_and_not_an_intact_log(settings: Any, tmp_path: Path) -> None:
    settings.HIMS_AUDIT_ANCHOR_FILE = str(tmp_path)  # a folder
    with pytest.raises(anchor_file.AnchorFileUnreadable):
        verifier.verify_recent(by=SYSTEM)


def test_the_worker_verifies_the_whole_log_in_steps_and_goes_on_where_it_stopped() -> None:
    seal(7)
    steps = [full_verification.step(limit=3) for _ in range(3)]
    assert [(done.verified, done.total, done.is_done) for done in steps if done] == [(3, 7, False), (6, 7, False), (7, 7, True)]
    assert AuditEvent.objects.filter(action="trail.verified", detail__whole=True, outcome="success").count() == 1
    finished = progress.finished_at()
    assert finished
    seal(2)
    assert tasks.verify() == 10  # follows the chain: the two, and the row that the pass left
    assert AuditEvent.objects.filter(action="trail.verified").count() == 1  # otherwise each step would give the next one work
    assert progress.finished_at() == finished


def test_a_new_pass_begins_after_a_day_and_finds_what_was_changed_since() -> None:
    ids = note(5)
    seals.seal()
    full_verification.step()
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", ids[1])
    assert not full_verification.step().broken  # type: ignore[union-attr]
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        done = full_verification.step()
    assert (flaw_of(done), done.broken.id) == (Flaw.CHANGED, ids[1])  # type: ignore[union-attr]
    assert AuditEvent.objects.filter(action="trail.verified", outcome="failure").count() == 1
    assert verifier.verify_recent(by=SYSTEM).first_broken == done.broken  # type: ignore[union-attr]


def test_a_row_slipped_in_is_found_by_the_count_of_the_whole_log() -> None:
    AuditEvent.objects.create(at=clock.now() - timedelta(days=9), action="test.noted", outcome="success")
    note(2)
    seals.seal(thorough=True)
    slipped = AuditEvent.objects.create(at=clock.now() - timedelta(days=8), action="test.noted", outcome="success")
    done = full_verification.step()
    assert (flaw_of(done), done.broken.id) == (Flaw.INSERTED, slipped.pk)  # type: ignore[union-attr]


def test_progress_that_was_moved_by_hand_is_not_believed() -> None:
    ids = note(5)
    seals.seal()
    full_verification.step(limit=2)
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", ids[0])
    VerificationProgress.objects.update(sequence=5, trusted=5, is_whole=True)
    assert progress.finished_at() is None
    result = verifier.verify_recent(by=SYSTEM)
    assert (result.intact, result.checked) == (False, 0)
    assert full_verification.step().broken  # type: ignore[union-attr]


def test_the_command_goes_on_where_an_interrupted_run_stopped(capsys: pytest.CaptureFixture) -> None:
    ids = note(6)
    seals.seal()
    full_verification.step(limit=4)
    tamper("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", ids[0])
    call_command("verify_audit", "--resume")
    assert "6 sealed rows checked" in capsys.readouterr().out
    with pytest.raises(CommandError, match="place in the chain 1"):
        call_command("verify_audit")


def test_one_step_at_a_time() -> None:
    seal(1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key_of(LockName.AUDIT_VERIFICATION)])
        assert full_verification.step() is None
        assert tasks.verify() == 0
    finally:
        other.close()


@pytest.mark.parametrize("values", [{"id": 2}, {"sequence": -1}, {"trusted": -1}])
def test_the_database_keeps_one_record_of_progress_with_places_that_exist(values: dict[str, int]) -> None:
    about = {"id": 1, "sequence": 0, "trusted": 0} | values
    with pytest.raises(DatabaseError), transaction.atomic():
        VerificationProgress.objects.create(hash=b"", trusted_hash=b"", mac=b"", started_at=clock.now(), **about)


def test_the_fast_form_of_a_row_is_the_written_form_for_every_character() -> None:
    for start in range(0, 0x11000, 64):
        text = "".join(chr(code) for code in range(start, start + 64) if not 0xD800 <= code < 0xE000)
        row = ["a", 1736935200000007, None, text]
        assert chain.canonical(row) == json.dumps(row, separators=(",", ":")).encode(), hex(start)


def test_the_keyed_states_make_the_seals_of_hmac() -> None:
    for key in (b"k", os.urandom(32), os.urandom(64), os.urandom(65), os.urandom(200)):
        row = ["x", 1, None, "é"]
        assert chain.Sealer(key).seal(b"b" * 32, 7, row) == chain.seal(key, b"b" * 32, 7, row)
