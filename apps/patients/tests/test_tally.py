"""The list's length and its far pages, against counting and walking."""

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.access.actor import SYSTEM
from apps.common.prepared import SqlFragment
from apps.common.tests.row_counters import add_row
from apps.common.tests.row_counters import rows as counter_rows
from apps.common.tests.sessions import await_end_of_others, sessions
from apps.patients import selectors, services
from apps.patients.apps import ROW_COUNTER
from apps.patients.lists import sql
from apps.patients.models import Patient
from apps.patients.tests.bulk_patients import insert_patients
from apps.patients.tests.factories import register_patient
from apps.rest.paging import Total, Window

pytestmark = pytest.mark.django_db


def counted() -> dict[str, int]:
    people = Patient.objects.unmerged()
    active = people.filter(is_active=True).count()
    return {"listed": people.count(), "active": active, "inactive": people.count() - active}


def totals() -> dict[str, int]:
    return {which: sql.total(which) for which in ("listed", "active", "inactive")}


def admit_and_take_back() -> None:
    """A registration that something goes wrong after."""
    with transaction.atomic():
        register_patient(last_name="Gone")
        transaction.set_rollback(True)


def test_the_total_follows_registration_deactivation_and_deletion() -> None:
    people = [register_patient() for _ in range(5)]
    services.deactivate(by=SYSTEM, patient_id=people[0].pk)
    assert totals() == counted() == {"listed": 5, "active": 4, "inactive": 1}
    Patient.objects.filter(pk=people[1].pk).update(merged_into=people[2].pk)
    assert totals() == counted() == {"listed": 4, "active": 3, "inactive": 1}
    Patient.objects.filter(pk=people[1].pk).delete()
    assert totals() == counted()


def test_what_is_rolled_back_was_never_counted() -> None:
    for _ in range(20):
        admit_and_take_back()
    assert totals()["listed"] == 0


def test_folding_changes_no_count_and_leaves_a_row_a_block() -> None:
    seqs = [register_patient().seq for _ in range(5)]
    rows = [count for size in (sql.BLOCK, sql.REGION) for count in Counter(seq // size for seq in seqs).values()]
    before = totals()
    assert ROW_COUNTER.compact() == sum(count > 1 for count in rows)  # a row alone in its block is folded already
    assert totals() == before
    assert len(counter_rows(ROW_COUNTER)) == len(rows)
    assert ROW_COUNTER.compact() == 0


def those(seqs: list[int]) -> SqlFragment:
    return SqlFragment("SELECT unnest(%s::bigint[])", [seqs])


def test_the_hidden_are_counted_as_if_they_had_left() -> None:
    people = [register_patient() for _ in range(6)]
    services.deactivate(by=SYSTEM, patient_id=people[0].pk)
    Patient.objects.filter(pk=people[1].pk).update(merged_into=people[2].pk)
    hidden = [person.seq for person in people[:3]]  # one inactive, one that is on no list, one active
    assert {which: sql.total(which, those(hidden)) for which in totals()} == {"listed": 3, "active": 3, "inactive": 0}


class FarPages(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        insert_patients(2_500)

    @given(hidden=st.sets(st.integers(0, 2_499), max_size=60), offset=st.integers(0, 2_500))
    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_a_far_place_steps_over_the_hidden(self, hidden: set[int], offset: int) -> None:
        seqs = list(Patient.objects.order_by("-seq").values_list("seq", flat=True))
        kept = [seq for number, seq in enumerate(seqs) if number not in hidden]
        place = sql.page_start(offset, hidden=those([seqs[number] for number in hidden]))
        assert place.total == len(kept)
        assert [seq for seq in kept if seq <= place.seq][place.skip :] == kept[offset:]

    @given(gone=st.sets(st.integers(0, 2_499), max_size=200), offset=st.integers(0, 2_600), limit=st.integers(1, 100))
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_a_far_page_is_the_one_walking_leads_to(self, gone: set[int], offset: int, limit: int) -> None:
        seqs = list(Patient.objects.order_by("seq").values_list("seq", flat=True))
        Patient.objects.filter(seq__in=[seqs[number] for number in gone]).update(is_active=False)
        for status in ("", "active", "inactive"):
            people = Patient.objects.order_by("-seq")
            people = people.filter(is_active=status == "active") if status else people
            walked = list(people.values_list("id", flat=True)[offset : offset + limit])
            page = selectors.list_page(visible_to=SYSTEM, status=status, window=Window(offset, limit))
            assert [row["id"] for row in page.rows] == walked
            assert page.total == Total(people.count())


def test_a_recount_repairs_what_went_past_the_triggers() -> None:
    register_patient()
    add_row(ROW_COUNTER, level=0, block=0, listed=41, active=0)
    assert sql.total() == 42
    assert ROW_COUNTER.repair() == (42, 1)
    assert totals() == counted()


@pytest.mark.django_db(transaction=True)
def test_compacting_next_to_writers_loses_no_row() -> None:
    def work(number: int) -> None:
        try:
            if number % 4 == 0:
                ROW_COUNTER.compact()
            elif number % 4 == 1:
                admit_and_take_back()
            else:
                patient = register_patient(last_name=f"Here{number}")
                if number % 4 == 3:
                    services.deactivate(by=SYSTEM, patient_id=patient.pk)
        finally:
            connection.close()

    numbers = 2_000 if os.environ.get("HIMS_TEST_FULL") == "1" else 200
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(numbers)))
    assert totals() == counted()
    assert totals()["listed"] == numbers // 2


def waits_or_ends(act: Future[Any]) -> None:
    """Return as soon as the other session waits for a lock, or has ended without one."""
    while not act.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return


@pytest.mark.django_db(transaction=True)
def test_a_repair_next_to_a_compaction_counts_no_patient_twice() -> None:
    def repair() -> tuple[int, int]:
        try:
            return ROW_COUNTER.repair()
        finally:
            connection.close()

    for _ in range(3):
        register_patient()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ROW_COUNTER.compact()  # its rows are new, and not visible to the repair yet
            repaired = pool.submit(repair)
            waits_or_ends(repaired)
        assert repaired.result(30) == (3, 3)
    assert (ROW_COUNTER.drift(), totals()) == (0, counted())


_WRITER = """
import django, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "hims.settings.test"
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from apps.rest.paging import Total, Window
from apps.patients.tests.factories import register_patient
from apps.rest.paging import Total, Window
for number in range(10_000):
    register_patient(last_name=f"Writer{number}")
    print(number, flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_a_writer_killed_in_the_middle_leaves_no_drift() -> None:
    name, known = connection.settings_dict["NAME"], sessions()
    writer: Any = subprocess.Popen([sys.executable, "-c", _WRITER, name], stdout=subprocess.PIPE, text=True)
    while int(writer.stdout.readline()) < 20:
        pass
    writer.send_signal(signal.SIGKILL)
    writer.wait(10)
    await_end_of_others(known)
    assert totals() == counted()
    assert totals()["listed"] >= 20
