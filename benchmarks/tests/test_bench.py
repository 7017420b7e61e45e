"""The measuring itself: small pieces always, a whole run with the long numbers."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks import cpu, driver, measure, options, outcome, patient_tables, quiet, statements
from benchmarks.measure import Cost
from benchmarks.report import cells
from benchmarks.workloads import typos
from hims.launch import paths
from hims.launch.errors import CannotStart

COST = Cost(app=2.0, postgres=1.0, redis=0.5, p50=4.0, p95=9.0)


def test_redis_is_shown_and_not_part_of_the_ratio():
    row = outcome.Row("one", COST, Cost(1.0, 0.5, 0.0, 1.0, 2.0))
    assert row.ratio == 2.0
    assert cells(row, "\n")[1] == "2.00 + 1.00 = 3.00 (0.50)"


def test_a_goal_that_is_missed_says_so():
    assert str(outcome.at_most("floor", 4.1, 4, "x")).startswith("MISSED: floor ≤ 4x: 4.1x")
    assert outcome.against("E", COST, Cost(1.0, 0.5, 0.0, 1.0, 2.0), 2).met
    assert not outcome.against("E", COST, Cost(1.0, 0.5, 0.0, 1.0, 2.0), 1.9).met


def test_refused_requests_are_reported():
    assert not outcome.answered(COST)
    assert [check.met for check in outcome.answered(COST, Cost(1, 1, 0, 1, 1, requests=9, failed=2))] == [False]


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (95, 4), (100, 4), (1, 1)])
def test_percentiles_are_values_that_were_seen(percent, expected):
    assert measure.percentile([4, 1, 3, 2], percent) == expected


def test_an_answer_is_whole_when_its_length_is_there():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
    assert not driver._is_whole(bytearray(head[:-2]))
    assert not driver._is_whole(bytearray(head + b"abc"))
    assert driver._is_whole(bytearray(head + b"abcd"))


def test_cpu_of_children_that_have_ended_counts():
    before = cpu.seconds(os.getpid())
    burn = "import time\nwhile time.process_time() < 0.5: pass"  # an amount of CPU, however fast the machine is
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert cpu.seconds(os.getpid()) - before > 0.4  # the kernel counts in whole ticks


def test_statements_that_every_request_has_are_counted_apart():
    assert statements.kind("SELECT u.id FROM accounts_session s JOIN accounts_user u ON true") == "principal"
    assert statements.kind('INSERT INTO "audit_auditevent" ("id") VALUES (1)') == "audit"
    assert statements.kind("INSERT INTO audit_auditevent (id) VALUES (1)") == "audit"
    assert statements.kind('SELECT "patients_patient"."id" FROM "patients_patient"') == "work"


def test_a_misspelt_word_is_another_word():
    dice = random.Random(1)
    wrong = [typos.misspelt("aardvark", dice) for _ in range(200)]
    assert "aardvark" not in wrong
    assert {len(word) for word in wrong} == {7, 8, 9}


def test_a_term_is_the_stretch_of_words_that_begin_with_it():
    assert patient_tables.search_of("john do") == ("pair", ["=djoo", "=djoo~", "=djoo_h_n%"])
    assert patient_tables.search_of("mrn0000") == ("one", ["#mrn0000", *["#mrn0000", "#mrn0000~", "8"] * 2])


def test_an_unknown_workload_is_refused():
    with pytest.raises(SystemExit):
        options.read(["--only", "nonsense"])
    assert options.read(["--rows", "1e5", "--only", "list,search"]).small == 1_000


def test_a_busy_machine_is_refused_and_an_unknown_one_is_named(tmp_path, monkeypatch):
    messages: list[str] = []
    monkeypatch.setattr(quiet, "PRESSURE", tmp_path / "cpu")
    assert "unknown" in quiet.state()
    quiet.require(messages.append, patience=0)
    quiet.PRESSURE.write_text(
        "some avg10=90.00 avg60=20.01 avg300=1.00 total=1\nfull avg10=0.00 avg60=99.00 avg300=0.00 total=0\n"
    )
    with pytest.raises(CannotStart):
        quiet.require(messages.append, patience=0)
    quiet.PRESSURE.write_text("some avg10=90.00 avg60=20.00 avg300=1.00 total=1\n")
    quiet.require(messages.append, patience=0)
    assert messages == []


@pytest.mark.full
def test_a_whole_run_writes_the_table():
    folder = Path(tempfile.mkdtemp(prefix="hims-bench-"))
    folder.chmod(0o755)  # root's PostgreSQL runs as another user
    out = folder / "RESULTS.md"
    known = os.environ | {"HIMS_DATA_DIR": str(folder), "HIMS_PG_SHARED_BUFFERS": "64MB"}
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--rows",
        "2000",
        "--only",
        "noop,list,detail",
        "--busy",
        "--rounds",
        "1",
        "--seconds",
        "1",
    ]
    try:
        done = subprocess.run(
            [*command, "--out", str(out)], cwd=paths.PROJECT, env=known, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        text = out.read_text()
        assert all(f"| {name} |" in text for name in ("authenticated no-op", "list, page 1 and exact total", "one patient"))
        assert "failed" not in text
    finally:
        shutil.rmtree(folder, ignore_errors=True)
