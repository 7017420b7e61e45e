"""A list of appointments with any of several statuses: the parameter repeated, or its values separated by commas."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.appointments import selectors
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book
from apps.appointments.tests.test_prepared import AS_AT_MILLIONS, MANY, fill
from apps.audit.models import AuditEvent
from apps.patients.tests.factories import register_patient, restrict
from apps.rest.paging import Total

pytestmark = pytest.mark.django_db
STATUSES = ("scheduled", "requested", "no_show", "confirmed", "scheduled", "requested")


@pytest.fixture
def week(staff: dict[str, User]) -> list[Appointment]:
    """Six appointments of one day in four statuses, the earliest first."""
    patient = register_patient("Ann", "Roe")
    rows = [book(patient, staff["doctor"], at(f"{9 + hour:02}:00")) for hour in range(len(STATUSES))]
    for row, status in zip(rows, STATUSES, strict=True):
        Appointment.objects.filter(pk=row.pk).update(status=status)
    return rows


def times(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row["scheduled_time"] for row in reply.json()["data"]["appointments"]]


def expected(week: list[Appointment], *statuses: str) -> list[str]:
    """The times of these statuses, the latest first."""
    rows = [row for row, status in zip(week, STATUSES, strict=True) if status in statuses]
    return [f"{row.scheduled_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for row in reversed(rows)]


@pytest.mark.parametrize("doctor", ["", "&doctor_id={}"])
@pytest.mark.parametrize(
    "query", ["status=requested&status=scheduled", "status=requested,scheduled", "status=scheduled, requested"]
)
def test_appointments_with_any_of_several_statuses_are_listed(
    staff: dict[str, User], week: list[Appointment], query: str, doctor: str
) -> None:
    reply = api_client(staff["receptionist"]).get(f"/appointments?{query}{doctor.format(staff['doctor'].pk)}")
    assert times(reply) == expected(week, "requested", "scheduled")
    assert reply.json()["data"]["pagination"]["total"] == 4


def test_the_audit_log_holds_every_status_that_was_searched_for(staff: dict[str, User], week: list[Appointment]) -> None:
    api_client(staff["receptionist"]).get("/appointments?status=requested&status=scheduled")
    row = AuditEvent.objects.get(action="appointment.searched")
    assert row.detail["query"] == {"status": "requested,scheduled"}


def test_the_pages_of_several_statuses_follow_each_other_in_the_order_of_time(
    staff: dict[str, User], week: list[Appointment]
) -> None:
    receptionist = api_client(staff["receptionist"])
    every = expected(week, "requested", "scheduled", "no_show")
    path = "/appointments?status=requested,scheduled,no_show&limit=2"
    assert [times(receptionist.get(f"{path}&page={page}")) for page in (1, 2, 3, 4)] == [every[:2], every[2:4], every[4:], []]
    cursor = receptionist.get(path).json()["data"]["pagination"]["next_cursor"]
    assert times(receptionist.get(f"{path}&cursor={cursor}")) == every[2:4]
    assert times(receptionist.get(f"{path}&sort=scheduled_time")) == every[::-1][:2]


def test_appointments_of_one_instant_are_each_on_one_page_whatever_their_status(
    staff: dict[str, User], week: list[Appointment]
) -> None:
    rows = sorted(week, key=lambda row: row.pk, reverse=True)
    for row, status in zip(rows, ["no_show", "completed"] * 3, strict=True):
        Appointment.objects.filter(pk=row.pk).update(status=status, scheduled_time=at("10:00"), ends_at=at("10:15"))
    receptionist, path = api_client(staff["receptionist"]), "/appointments?status=no_show,completed&limit=1"

    def ids(page: str) -> list[str]:
        return [row["id"] for row in receptionist.get(f"{path}&{page}").json()["data"]["appointments"]]

    pages = [ids(f"page={number}") for number in range(1, 8)]
    assert pages == [[str(row.pk)] for row in rows] + [[]]
    cursor = receptionist.get(path).json()["data"]["pagination"]["next_cursor"]
    assert ids(f"cursor={cursor}") == pages[1]


def test_the_next_link_leads_to_the_next_page_of_all_the_statuses(staff: dict[str, User], week: list[Appointment]) -> None:
    reply = api_client(staff["receptionist"]).get("/appointments?status=requested&status=no_show&limit=2")
    onward = reply.headers["Link"].partition('>; rel="next"')[0].rpartition("</v1")[2]
    following = api_client(staff["receptionist"]).get(onward)
    assert times(reply) + times(following) == expected(week, "requested", "no_show")


def test_one_status_sent_twice_is_that_status(staff: dict[str, User], week: list[Appointment]) -> None:
    assert times(api_client(staff["receptionist"]).get("/appointments?status=no_show&status=no_show")) == expected(
        week, "no_show"
    )


def test_appointments_of_a_closed_chart_are_not_counted_under_several_statuses(
    staff: dict[str, User], week: list[Appointment]
) -> None:
    restrict(week[0].patient, staff["doctor"])
    reply = api_client(staff["receptionist"]).get("/appointments?status=requested,scheduled")
    assert (times(reply), reply.json()["data"]["pagination"]["total"]) == ([], 0)


@pytest.mark.parametrize(
    "query", ["status=requested&status=lost", "status=requested,lost", "status=requested,", "status=requested&status="]
)
def test_a_status_that_does_not_exist_is_refused_among_others(staff: dict[str, User], query: str) -> None:
    reply = api_client(staff["receptionist"]).get(f"/appointments?{query}")
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "status")


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_list_of_several_statuses_reads_a_page_of_each_however_rare(staff: dict[str, User], newest_first: bool) -> None:
    row = book(register_patient("Ann", "Roe"), staff["doctor"], at("10:00"))
    fill(row, missed_before=newest_first)
    with CaptureQueriesContext(connection) as log:
        page = selectors.list_page(
            visible_to=SYSTEM,
            newest_first=newest_first,
            status=["no_show", "scheduled", "completed"],
            since=at("10:00") - timedelta(days=3650),
        )
    rows = Appointment.objects.filter(status__in=["no_show", "scheduled", "completed"])
    rows = rows.order_by("-scheduled_time" if newest_first else "scheduled_time")
    assert [row["id"] for row in page.rows] == [row.pk for row in rows[:20]]
    assert page.total == Total(MANY // 2 + 1)
    (statement,) = [query["sql"] for query in log if "CROSS JOIN LATERAL" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(AS_AT_MILLIONS)
        cursor.execute("EXPLAIN (ANALYZE, FORMAT TEXT) " + statement.replace("%", "%%"), [])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "appointment_by_status" in plan, plan
    assert "Rows Removed by Filter" not in plan, plan
