"""The generated consultations: always the same ones, and ones that the database takes with all its constraints."""

import json
from datetime import date

import pytest
from django.db import connection

from apps.access.actor import SYSTEM
from apps.consultations import selectors
from apps.consultations.models import Consultation, ConsultationStatusChange, StepSave
from apps.rest.paging import Total
from benchmarks import appointment_tables, consultation_tables, load, patient_tables, people, schedules

ROWS = 1_000
SCHEDULE = schedules.Schedule(ROWS, date(2026, 1, 5))


def written() -> list[dict]:
    return [row for visit in SCHEDULE.block(0) if (row := consultation_tables.of(visit))]


def test_two_of_three_completed_visits_were_written_up_and_always_the_same():
    rows = written()
    completed = sum(visit["status"] == "completed" for visit in SCHEDULE.block(0))
    assert 0.6 < len(rows) / completed < 0.73
    assert rows == written()
    assert {row["workflow_type"] for row in rows} == {"quick", "standard", "adaptive"}


def test_json_with_backslashes_survives_copy():
    (line,) = [consultation_tables.line({"data": ""}, {"data": json.dumps({"said": 'a "b" ü'})})]
    assert json.loads(line.rstrip("\n").replace("\\\\", "\\")) == {"said": 'a "b" ü'}


@pytest.mark.django_db
def test_the_database_takes_them_with_all_its_constraints():
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
    trigger, table = consultation_tables.OPEN_ONLY
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    rows = written()
    load.send_consultations(raw, rows)
    assert (Consultation.objects.count(), StepSave.objects.count()) == (len(rows), 5 * len(rows))
    assert ConsultationStatusChange.objects.count() == 2 * len(rows)
    listing = selectors.list_page(visible_to=SYSTEM)
    assert (listing.total, len(listing.rows)) == (Total(len(rows)), 20)
    visit = selectors.consultation(SYSTEM, listing.rows[0]["id"])
    assert (visit.row.status, len(visit.saves)) == ("completed", 5)
