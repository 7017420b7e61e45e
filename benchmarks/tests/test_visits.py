"""The generated appointments: always the same ones, and accepted by the database with all its constraints."""

import hashlib
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from apps.appointments.apps import ROW_COUNTER
from apps.appointments.models import Appointment
from apps.appointments.models.appointments import LIVE
from apps.appointments.scheduling import availability
from benchmarks import appointment_tables, load, patient_tables, people, schedules, slots

ROWS = 1_000
MONDAY = date(2026, 1, 5)
SCHEDULE = schedules.Schedule(ROWS, MONDAY)
BUSY = schedules.Schedule(6_000, MONDAY)


@pytest.fixture
def loaded(db):
    """A thousand patients, one doctor and three thousand visits, copied as a load copies them."""
    connection.ensure_connection()
    raw = connection.connection
    crowd = people.persons(0, of=ROWS, first_seq=1_000, first_mrn=500)
    load.send(raw, patient_tables.PATIENTS, patient_tables.PATIENT_COLUMNS, map(patient_tables.patient_line, crowd))
    for table, columns, lines in appointment_tables.staff(SCHEDULE):
        load.send(raw, table, columns, lines)
    load.send(
        raw,
        appointment_tables.APPOINTMENTS,
        appointment_tables.APPOINTMENT_COLUMNS,
        map(appointment_tables.appointment_line, SCHEDULE.block(0)),
    )
    return Appointment.objects.all()


def test_the_first_visits_are_always_the_same():
    text = "".join(f"{tuple(visit.items())}\n" for visit in SCHEDULE.block(0))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "07ab32e508245f84", "a new generator needs a new visits.VERSION"


def test_a_block_needs_no_other_block():
    alone = list(BUSY.block(3))
    list(BUSY.block(2))
    assert list(BUSY.block(3)) == alone


def test_every_patient_has_three_visits_and_no_two_of_a_patient_or_a_doctor_meet():
    visits = [visit for block in people.blocks(BUSY.rows) for visit in BUSY.block(block)]
    assert BUSY.doctors == 3
    assert set(Counter(visit["patient_id"] for visit in visits).values()) == {schedules.EACH}
    for whose in ("patient_id", "doctor_id"):
        assert len({(visit[whose], visit["scheduled_time"]) for visit in visits}) == len(visits) == 18_000


def test_a_hundredth_of_the_patients_has_doctors_as_busy():
    big, small = schedules.Schedule(1_000_000, MONDAY), schedules.Schedule(10_000, MONDAY)
    assert (big.doctors, small.doctors) == (500, 5)
    assert big.weeks == small.weeks == 75
    assert big.begins == MONDAY - timedelta(weeks=50)


@pytest.mark.django_db
def test_the_database_takes_the_schedules_with_all_their_constraints(loaded):
    assert loaded.count() == ROWS * schedules.EACH
    for row in loaded.order_by("?")[:20]:
        row.full_clean(validate_unique=False, validate_constraints=False)
    edge = datetime.combine(MONDAY, schedules.OPENS, availability.clinic_zone())
    assert not loaded.filter(scheduled_time__lt=edge, status__in=LIVE).exists()
    assert set(loaded.filter(scheduled_time__gte=edge).values_list("status", flat=True)) == set(schedules.AHEAD)
    assert {when.astimezone(availability.clinic_zone()).time() for when in loaded.values_list("scheduled_time", flat=True)} == {
        (datetime.combine(MONDAY, schedules.OPENS) + timedelta(minutes=30 * slot)).time() for slot in range(16)
    }


@pytest.mark.django_db
def test_the_doctor_can_be_booked_where_a_visit_was_cancelled(loaded):
    start = datetime.combine(MONDAY, schedules.OPENS, availability.clinic_zone())
    end = start + timedelta(weeks=4)
    practice = availability.for_doctor(schedules.doctor_id(0), start=start, end=end)
    assert practice is not None
    free = availability.slots(schedules.doctor_id(0), practice, minutes=30, start=start, end=end)
    live = loaded.filter(scheduled_time__gte=start, scheduled_time__lt=end, status__in=LIVE).count()
    assert len(free) == 4 * 5 * 16 - live > 20


@pytest.mark.django_db
def test_a_load_leaves_the_total_of_visits_right(loaded):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO appointments_rowcounter (total) VALUES (5), (-5)")
        cursor.execute(appointment_tables.COMPACT)
        cursor.execute("SELECT array_agg(total) FROM appointments_rowcounter")
        assert cursor.fetchone() == ([ROWS * schedules.EACH],)
    assert ROW_COUNTER.compact() == 0


def test_no_slot_is_given_out_twice():
    loaded = load.Loaded(ROWS, 1_000, 500, MONDAY)
    here = slots.Slots(loaded, "")
    given = [here.next() for _ in range(200)]
    assert len({(doctor, at) for doctor, _, at in given}) == len({(patient, at) for _, patient, at in given}) == 200
    assert all(at >= slots.FROM for _, _, at in given)
