"""Reading long lists of appointments: no list reads rows that its filters exclude."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import hire
from apps.appointments import selectors
from apps.appointments.models import Appointment
from apps.appointments.queries.prepared import APPOINTMENTS
from apps.appointments.tests.factories import at, book
from apps.patients.tests.factories import register_patient
from apps.rest.paging import Total

MANY = 2_000
_COPIES = """
INSERT INTO appointments_appointment ({columns})
SELECT {values} FROM appointments_appointment, generate_series(-%s, %s) AS n WHERE id = %s AND n <> 0 ORDER BY n
"""


# What makes the index of all visits look cheap to the planner at three millions, where they lie on disk in the order of time.
AS_AT_MILLIONS = "SET LOCAL random_page_cost = 40; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"


def fill(row: Appointment, *, missed_before: bool) -> None:
    """The same appointment many times, in order of time; before one instant every second one was missed."""
    missed = "n < 0" if missed_before else "n > 0"
    other = {"id": "gen_random_uuid()", "status": f"CASE WHEN {missed} AND mod(n, 2) = 0 THEN 'no_show' ELSE 'requested' END"}
    other |= {name: f"{name} + n * interval '1 hour'" for name in ("scheduled_time", "ends_at")}
    columns = [str(field.column) for field in Appointment._meta.concrete_fields]
    values = ", ".join(other.get(name, name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(_COPIES.format(columns=", ".join(columns), values=values), [MANY, MANY, row.pk])
        cursor.execute("ANALYZE appointments_appointment")


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_list_by_status_does_not_walk_past_all_visits_of_another(staff: dict[str, User], newest_first: bool) -> None:
    row = book(register_patient("Ann", "Roe"), staff["doctor"], at("10:00"))
    fill(row, missed_before=newest_first)
    with CaptureQueriesContext(connection) as log:
        listing = selectors.list_page(
            visible_to=SYSTEM, newest_first=newest_first, status="no_show", since=at("10:00") - timedelta(days=3650)
        )
    expected = Appointment.objects.filter(status="no_show").order_by("-scheduled_time" if newest_first else "scheduled_time")
    assert [row["id"] for row in listing.rows] == [row.pk for row in expected[:20]]
    assert listing.total == Total(MANY // 2)
    (page,) = [asked["sql"] for asked in log if "LIMIT 21" in asked["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(AS_AT_MILLIONS)
        cursor.execute("EXPLAIN (ANALYZE, FORMAT TEXT) " + page.replace("%", "%%"), [])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "appointment_by_status" in plan, plan
    assert "Rows Removed by Filter" not in plan, plan


def generic_plan(sql: str, values: Sequence[Any]) -> str:
    """The plan that PostgreSQL makes once for all values, as it does for a statement that is prepared."""
    first, *rest = sql.split("%s")
    numbered = first + "".join(f"${number}{text}" for number, text in enumerate(rest, 1))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("DEALLOCATE ALL")
        cursor.execute(f"PREPARE of_doctor AS {numbered}")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) EXECUTE of_doctor ({', '.join(['%s'] * len(values))})", values)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(
    "status", ["requested", "no_show", "completed"], ids=["the commonest", "a rare one", "one that none has"]
)
def test_a_doctors_list_by_status_reads_the_rows_of_that_doctor_and_status_alone(staff: dict[str, User], status: str) -> None:
    for name in ("dr.one", "dr.two"):
        doctor = hire(name, "doctor", specialty="Any")
        fill(book(register_patient("Ann", name), doctor, at("10:00")), missed_before=True)
    bound = APPOINTMENTS.bind(SYSTEM, doctor_id=doctor.pk, status=status)
    statement = bound._statements.page.statement(**bound._values)
    assert statement
    plan = generic_plan(f"{statement.sql} LIMIT 21", statement.values)
    assert "appointment_of_doctor_status" in plan, plan
    assert "Rows Removed by Filter" not in plan, plan
    assert "Sort" not in plan, plan


def rows_read(plan: dict[str, Any], table: str) -> float:
    """How many rows of the table a plan looked at."""
    own = 0.0
    if plan.get("Relation Name") == table:
        own = plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return own + sum(rows_read(inner, table) for inner in plan.get("Plans", ()))
