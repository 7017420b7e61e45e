"""The list of consultations: what it counts, what it hides, and that it, a start, a save and a read cost the same at any size."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.appointments import selectors as appointments
from apps.common import clock
from apps.common.tests.row_counters import add_row, rows
from apps.consultations import selectors, services
from apps.consultations.apps import ROW_COUNTER
from apps.consultations.models import Consultation
from apps.consultations.tests.factories import booked, save, signed, start_consultation
from apps.patients import services as charts
from apps.patients.tests.factories import register_patient, restrict
from apps.rest import scoped_list
from apps.rest.paging import Page, Total, Window

pytestmark = pytest.mark.django_db


def cost(act: Any, status: int = 200) -> int:
    with CaptureQueriesContext(connection) as seen:
        response = act()
    assert response.status_code == status, response.content
    return len(seen)


def test_a_list_costs_the_same_for_one_visit_and_for_a_hundred(staff: dict[str, User]) -> None:
    who, doctor = api_client(staff["doctor"]), staff["doctor"]
    patient = register_patient()
    for _ in range(13):
        start_consultation(doctor, patient)
    for filters in ("", f"&doctor_id={doctor.pk}", f"&patient_id={patient.pk}&status=in_progress&date_from=2025-01-01"):
        cost(lambda: who.get(f"/consultations?limit=1{filters}"))  # noqa: B023
        one, many = (cost(lambda: who.get(f"/consultations?limit={limit}{filters}")) for limit in (1, 12))  # noqa: B023
        assert one == many == 4, filters  # the session, the page, the total, the audit row
        assert cost(lambda: who.get(f"/consultations?limit=100{filters}")) == 3  # noqa: B023  # it holds all: no total


def test_a_visit_with_a_hundred_saves_and_addenda_costs_what_one_with_one_costs(staff: dict[str, User]) -> None:
    who, doctor = api_client(staff["doctor"]), staff["doctor"]
    live = [start_consultation(doctor, register_patient()).row.pk for _ in range(2)]
    done = [signed(doctor, register_patient()).row.pk for _ in range(2)]
    for pk, times in zip(live, (1, 100), strict=True):
        for number in range(times):
            save(doctor, pk, 7, {"plan": f"Plan {number}"})
    for pk, times in zip(done, (1, 100), strict=True):
        for number in range(times):
            services.add(by=doctor, consultation_id=pk, text=f"Also {number}")
    body = {"step_number": 7, "step_data": {"plan": "The plan"}}
    cost(lambda: who.put(f"/consultations/{live[0]}/step", {"step_number": 7, "step_data": {"plan": "First"}}))
    assert len({cost(lambda: who.put(f"/consultations/{pk}/step", body)) for pk in live}) == 1  # noqa: B023
    assert {cost(lambda: who.get(f"/consultations/{pk}")) for pk in live} == {4}  # noqa: B023
    assert {cost(lambda: who.get(f"/consultations/{pk}")) for pk in done} == {5}  # noqa: B023


def test_a_start_costs_the_same_before_and_after_many_visits_of_the_appointment(staff: dict[str, User]) -> None:
    who, doctor = api_client(staff["doctor"]), staff["doctor"]
    patients = [register_patient(), register_patient()]
    for patient in patients:
        signed(doctor, patient)
    for _ in range(30):
        signed(doctor, patients[1])
    costs = []
    for patient in patients:
        appointment = booked(patient, doctor, minutes_ahead=60 * len(costs))  # `early`: the hour may end on the next day
        asked = {"patient_id": str(patient.pk), "appointment_id": str(appointment.pk), "early": True}
        costs.append(cost(lambda: who.post("/consultations", asked), 201))  # noqa: B023
    assert costs[0] == costs[1]


def test_a_save_reads_the_consultation_once_under_the_lock_of_its_patient(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(patient, doctor)
    visit = start_consultation(doctor, patient, appointment_id=appointment.pk)
    with CaptureQueriesContext(connection) as seen:
        save(doctor, visit, 7)
    reads = [row["sql"] for row in seen if row["sql"].startswith("SELECT")]
    of_this_one = [sql for sql in reads if visit.row.pk.hex in sql.replace("-", "")]
    locks = [sql.partition("FROM ")[2].split()[0] for sql in reads if "FOR UPDATE" in sql]
    assert len([sql for sql in of_this_one if sql.startswith('SELECT "consultations_consultation"')]) == 1
    assert locks == ['"patients_patient"', '"consultations_consultation"']


def test_a_start_plans_the_lock_of_the_appointment_once(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    for minutes in (0, 60):
        start_consultation(doctor, patient, appointment_id=booked(patient, doctor, minutes_ahead=minutes).pk, early=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%FOR UPDATE OF%'")
        locked = [statement.rpartition(" OF ")[2] for (statement,) in cursor.fetchall()]
    assert locked == ['"appointments_appointment"']


def test_the_total_is_exact_without_a_filter_less_what_is_hidden(staff: dict[str, User], colleague: User) -> None:
    closed = register_patient("Rose", "Martin")
    start_consultation(staff["doctor"], closed)
    start_consultation(staff["doctor"], register_patient())
    restrict(closed)
    assert selectors.list_page(visible_to=staff["doctor"]).total == Total(2)
    shown = selectors.list_page(visible_to=colleague)
    assert (shown.total, len(shown.rows)) == (Total(1), 1)
    assert selectors.list_page(visible_to=colleague, patient_id=closed.pk) == Page([], None, Total(0))
    assert selectors.list_page(visible_to=staff["receptionist"]) == Page([], None, Total(0))


def test_emergency_access_ends_on_the_lists_of_appointments_and_consultations(staff: dict[str, User], colleague: User) -> None:
    closed = register_patient("Rose", "Martin")
    appointment = booked(closed, staff["doctor"])
    visit = start_consultation(staff["doctor"], closed).row
    restrict(closed)
    lists = (appointments.list_page, selectors.list_page)
    with time_machine.travel(clock.now(), tick=False) as now:
        assert [read(visible_to=colleague, window=Window(limit=1)).rows for read in lists] == [[], []]
        charts.break_glass(by=colleague, patient_id=closed.pk, reason="Unconscious in the hall")
        shown = [[row["id"] for row in read(visible_to=colleague, window=Window(limit=1)).rows] for read in lists]
        assert shown == [[appointment.pk], [visit.pk]]
        now.shift(charts.GLASS_OPEN + timedelta(seconds=1))
        assert [read(visible_to=colleague, window=Window(limit=1)).total for read in lists] == [Total(0), Total(0)]


@pytest.mark.parametrize("filters", [{}, {"status": "in_progress"}, {"status": ["in_progress", "on_hold"]}, {"of_doctor": True}])
def test_every_page_counts_the_rows_that_are_shown_during_emergency_access_and_after(
    staff: dict[str, User], colleague: User, filters: dict[str, Any]
) -> None:
    closed = register_patient("Rose", "Martin")
    for patient in (closed, register_patient(), closed, register_patient()):
        start_consultation(staff["doctor"], patient)
    restrict(closed)
    filters = {"doctor_id": staff["doctor"].pk} if "of_doctor" in filters else filters

    def pages() -> list[tuple[Total | None, int]]:
        """The total and the number of rows of the first, the second and the fourth page of one row."""
        shown = [selectors.list_page(visible_to=colleague, window=Window(offset, 1), **filters) for offset in (0, 1, 3)]
        return [(page.total, len(page.rows)) for page in shown]

    with time_machine.travel(clock.now(), tick=False) as now:
        assert pages() == [(Total(2), 1), (Total(2), 1), (Total(2), 0)]
        charts.break_glass(by=colleague, patient_id=closed.pk, reason="Unconscious in the hall")
        assert pages() == [(Total(4), 1)] * 3
        now.shift(charts.GLASS_OPEN + timedelta(seconds=1))
        assert pages() == [(Total(2), 1), (Total(2), 1), (Total(2), 0)]


def test_a_filtered_list_is_counted_no_further_than_the_cap(staff: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> None:
    patient = register_patient()
    for _ in range(4):
        start_consultation(staff["doctor"], patient)
    monkeypatch.setattr(scoped_list, "COUNTED_UP_TO", 3)
    page = api_client(staff["doctor"]).get(f"/consultations?patient_id={patient.pk}&limit=2&page=2").json()["data"]
    assert (page["pagination"]["total"], page["pagination"]["total_is_estimate"], len(page["consultations"])) == (3, True, 2)
    assert selectors.list_page(visible_to=staff["doctor"]).total == Total(4)


def test_a_filter_that_the_list_does_not_have_is_refused(staff: dict[str, User]) -> None:
    with pytest.raises(ValueError, match="room_id"):
        selectors.list_page(visible_to=staff["doctor"], room_id=staff["doctor"].pk)


def test_a_repair_counts_what_went_past_the_triggers(staff: dict[str, User]) -> None:
    start_consultation(staff["doctor"], register_patient())
    add_row(ROW_COUNTER, total=41)
    assert ROW_COUNTER.total() == 42
    assert ROW_COUNTER.repair() == (42, 1)
    assert selectors.list_page(visible_to=staff["doctor"]).total == Total(1)


def test_the_row_counter_follows_every_writer_and_is_compacted_into_one_row(staff: dict[str, User]) -> None:
    for _ in range(3):
        start_consultation(staff["doctor"], register_patient())
    assert len(rows(ROW_COUNTER)) >= 3
    assert ROW_COUNTER.compact() == 1
    assert rows(ROW_COUNTER) == [(Consultation.objects.count(),)] == [(3,)]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE consultations_consultation CASCADE")
    assert selectors.list_page(visible_to=staff["doctor"]).total == Total(0)
