"""The count of a list of the desk."""

import json

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book
from apps.appointments.tests.test_prepared import MANY, fill, rows_read
from apps.desk.kit.base import CappedPaginator
from apps.patients.tests.bulk_patients import insert_patients
from apps.patients.tests.factories import register_patient, restrict


def test_to_count_a_doctors_list_only_restricted_charts_are_read_not_all_patients(staff: dict[str, User]) -> None:
    insert_patients(2_000)
    fill(book(register_patient("Ann", "Roe"), staff["doctor"], at("10:00")), missed_before=True)
    restrict(register_patient("Bob", "Roe"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_patient")
    with CaptureQueriesContext(connection) as log:
        assert CappedPaginator(Appointment.objects.visible_to(staff["doctor"]), 50).count == 2 * MANY + 1
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + log[-1]["sql"])
        ((plan,),) = cursor.fetchall()
    whole = json.loads(plan) if isinstance(plan, str) else plan
    assert rows_read(whole[0]["Plan"], "patients_patient") <= 1, whole
