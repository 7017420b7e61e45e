"""Appointments of charts that are closed to the caller are in no count and no feed."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.appointments import selectors, services
from apps.appointments.calendars import ical
from apps.appointments.models import CalendarFeed
from apps.appointments.tests.factories import at, book, monday, publish
from apps.common import clock
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


def away(doctor: User) -> dict[str, Any]:
    return {"starts_at": f"{monday()}", "ends_at": f"{monday()}"}


def test_time_off_counts_no_visit_of_a_closed_chart(staff: dict[str, User], doctor: User) -> None:
    closed = register_patient("Rose", "Martin")
    book(closed, doctor, at("09:00"))
    book(register_patient("Ann", "Roe"), doctor, at("10:00"))
    restrict(closed)
    path = f"/doctors/{doctor.pk}/time-off"
    for who, count in ((staff["receptionist"], 1), (doctor, 2)):  # the doctor is on the care team
        (warning,) = api_client(who).post(path, away(doctor)).json()["warnings"]
        assert (warning["code"], warning["count"]) == ("visits_affected", count)


def test_the_page_of_a_time_off_counts_no_visit_of_a_closed_chart(staff: dict[str, User], doctor: User) -> None:
    closed = register_patient("Rose", "Martin")
    book(closed, doctor, at("09:00"))
    restrict(closed)
    row = services.add_time_off(by=staff["admin"], doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("12:00"))
    for who, count in ((staff["receptionist"], "0"), (doctor, "1")):
        page = browser(who).get(f"/admin/appointments/timeoff/{row.pk}/change/")
        assert page.context["original"].visits_affected == int(count)


def test_the_calendar_feed_shows_no_visit_of_a_chart_that_is_closed_to_the_doctor(staff: dict[str, User], doctor: User) -> None:
    closed, shown = register_patient("Rose", "Martin"), register_patient("Ann", "Roe")
    hidden, row = book(closed, doctor, at("09:00")), book(shown, doctor, at("10:00"))
    services.make_feed(by=doctor, doctor_id=doctor.pk)
    feed = CalendarFeed.objects.select_related("doctor").get()
    window = ical.window(clock.now())
    assert [one.pk for one in selectors.busy(feed, *window)] == [hidden.pk, row.pk]
    restrict(closed, hire("dr.team", "doctor", specialty="Any"))
    CareTeamMember.objects.filter(patient=closed, user=doctor).delete()
    assert [one.pk for one in selectors.busy(feed, *window)] == [row.pk]
