"""A row counter follows its table, and a repair finds what went past its triggers."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.state import ProjectState

from apps.common import domain
from apps.common.apps import CommonConfig
from apps.common.row_counters import RowCounter
from apps.common.row_counters.operation import CreateRowCounter
from apps.common.tasks import compact_row_counters
from apps.common.tests.row_counters import add_row, rows

pytestmark = pytest.mark.django_db

BANDAGES = RowCounter("bandages_rowcounter", counted="bandages_bandage")
BEDS = RowCounter(
    "beds_rowcounter",
    counted="beds_bed",
    columns={"beds": "", "free": "patient IS NULL"},
    changes_with=("patient",),
    block_by="number",
    block_bits=(8, 4),
)


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    run("CREATE TABLE bandages_bandage (id int)", "CREATE TABLE beds_bed (number bigint, patient text, ward text)")
    for counter in (BANDAGES, BEDS):
        forwards(counter)
    monkeypatch.setattr(CommonConfig, "row_counters", (BANDAGES, BEDS))


def forwards(counter: RowCounter) -> None:
    with connection.schema_editor(atomic=False) as editor:
        CreateRowCounter(counter).database_forwards("common", editor, ProjectState(), ProjectState())


def backwards(counter: RowCounter) -> None:
    with connection.schema_editor(atomic=False) as editor:
        CreateRowCounter(counter).database_backwards("common", editor, ProjectState(), ProjectState())


def sums() -> dict[tuple[int, int], tuple[int, int]]:
    """The beds and the free beds of each level and block that has any."""
    total: dict[tuple[int, int], tuple[int, int]] = {}
    for level, block, beds, free in rows(BEDS):
        before = total.get((level, block), (0, 0))
        total[level, block] = (before[0] + beds, before[1] + free)
    return {block: counts for block, counts in total.items() if counts != (0, 0)}


def test_the_total_follows_what_is_added_and_removed() -> None:
    run("INSERT INTO bandages_bandage VALUES (1), (2), (3)", "INSERT INTO bandages_bandage VALUES (4)")
    assert (BANDAGES.total(), rows(BANDAGES)) == (4, [(3,), (1,)])
    run("DELETE FROM bandages_bandage WHERE id < 3")
    assert (BANDAGES.total(), BANDAGES.drift()) == (2, 0)
    run("TRUNCATE bandages_bandage")
    assert (BANDAGES.total(), rows(BANDAGES)) == (0, [])


def test_a_statement_that_changes_no_row_adds_none_to_the_counter() -> None:
    run("DELETE FROM bandages_bandage", "INSERT INTO bandages_bandage SELECT 1 WHERE false")
    assert rows(BANDAGES) == []


def test_a_counter_with_blocks_counts_each_block_and_its_conditions() -> None:
    run(
        "INSERT INTO beds_bed SELECT number, NULL FROM generate_series(0, 299) number",
        "UPDATE beds_bed SET patient = 'A' WHERE number = 17",
    )
    assert BEDS.total() == 300
    assert {block: counts for block, counts in sums().items() if block[0] == 0} == {(0, 0): (256, 255), (0, 1): (44, 44)}
    assert (sums()[1, 0], sums()[1, 1], sums()[1, 18]) == ((16, 16), (16, 15), (12, 12))
    run("UPDATE beds_bed SET patient = NULL WHERE number = 17", "DELETE FROM beds_bed WHERE number >= 256")
    assert {block: counts for block, counts in sums().items() if block[0] == 0} == {(0, 0): (256, 256)}
    assert BEDS.drift() == 0


def test_a_change_that_no_count_reads_adds_no_row() -> None:
    run("INSERT INTO beds_bed VALUES (1, 'A', 'East')")
    before = rows(BEDS)
    run("UPDATE beds_bed SET ward = 'West'", "UPDATE beds_bed SET patient = 'A'")
    assert rows(BEDS) == before


def test_compacting_leaves_a_row_a_block_and_changes_no_count() -> None:
    run(
        "INSERT INTO beds_bed VALUES (1), (2)",
        "INSERT INTO beds_bed VALUES (3), (300)",
        "INSERT INTO bandages_bandage VALUES (1)",
    )
    before = sums()
    assert compact_row_counters() == 2  # the first region and its first block
    assert sums() == before
    assert len(rows(BEDS)) == 4
    assert compact_row_counters() == 0


def test_drift_is_the_number_of_blocks_that_differ_from_a_fresh_count() -> None:
    run("INSERT INTO beds_bed VALUES (1), (2)")
    add_row(BEDS, level=1, block=0, beds=0, free=1)
    add_row(BEDS, level=1, block=7, beds=5, free=5)
    add_row(BANDAGES, total=3)
    assert (BEDS.drift(), BANDAGES.drift()) == (2, 1)


def test_the_repair_command_counts_every_counter_afresh(capsys: pytest.CaptureFixture[str]) -> None:
    run("INSERT INTO beds_bed VALUES (1, 'A'), (2, NULL)", "INSERT INTO bandages_bandage VALUES (1)")
    add_row(BEDS, level=0, block=0, beds=40, free=0)
    add_row(BANDAGES, total=41)
    call_command("repair_row_counters")
    assert (BEDS.total(), BANDAGES.total()) == (2, 1)
    assert sums() == {(0, 0): (2, 1), (1, 0): (2, 1)}
    printed = capsys.readouterr().out
    assert "bandages_rowcounter: 42 before, 1 by counting." in printed
    assert printed.count("drift 0.") == len(domain.row_counters())


def test_the_check_names_a_counter_that_differs_and_changes_nothing() -> None:
    add_row(BANDAGES, total=41)
    with pytest.raises(CommandError, match="bandages_rowcounter"):
        call_command("repair_row_counters", "--check")
    assert BANDAGES.total() == 41


def test_the_operation_can_be_undone() -> None:
    for counter in (BANDAGES, BEDS):
        backwards(counter)
    run("INSERT INTO bandages_bandage VALUES (1)", "INSERT INTO beds_bed VALUES (1)", "UPDATE beds_bed SET patient = 'A'")
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'beds%' OR proname LIKE 'bandages%'")
        assert cursor.fetchall() == []
    for counter in (BANDAGES, BEDS):
        forwards(counter)


def test_a_repair_keeps_writers_and_compactions_out_until_its_transaction_ends() -> None:
    def locked() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'ShareRowExclusiveLock'"
            )
            return {table for (table,) in cursor.fetchall()}

    assert BEDS.table not in locked()
    BEDS.repair()
    assert {BEDS.table, BEDS.counted} <= locked()
