"""The pages of series: booking one, what could not be booked, its own page, cancelling what is left."""

from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment, Series
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.recurrence import Rhythm
from apps.appointments.services import NewAppointment, NewSeries
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

LIST = "/admin/appointments/series/"
ADD = f"{LIST}add/"
VISIT = "/admin/appointments/appointment/"
RHYTHM = ("frequency", "interval", "by_weekday", "by_month_day", "by_set_position", "count", "until")


@pytest.fixture
def john(db: None) -> Patient:
    return register_patient()


@pytest.fixture
def receptionist_browser(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


def filled(doctor: User, button: str = "_save", **other: Any) -> dict[str, Any]:
    """The form as it is sent: four Mondays at ten."""
    values = {
        "doctor": str(doctor.pk),
        "appointment_type": "follow_up",
        "slot": "",
        "scheduled_time_0": monday().isoformat(),
        "scheduled_time_1": "10:00",
        "frequency": "weekly",
        "interval": "1",
        "by_month_day": "",
        "by_set_position": "",
        "count": "4",
        "until": "",
        "duration_minutes": "",
        "room": "",
        "notes": "Wound check",
        button: "1",
    }
    return values | other


def booked(john: Patient, doctor: User, occurrences: int = 3, when: str = "10:00") -> Series:
    visit = NewAppointment(patient_id=john.pk, doctor_id=doctor.pk, scheduled_time=at(when))
    return services.book_series(by=SYSTEM, new=NewSeries(first=visit, rhythm=Rhythm(count=occurrences))).series


def weekly(number: int) -> Any:
    """Ten o'clock of that Monday."""
    return at("10:00", monday(number))


def text_of(response: Any) -> str:
    return response.content.decode()


# Booking


def test_a_receptionist_books_a_series_and_sees_its_page(
    staff: dict[str, User], receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    place = room()
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, room=str(place.pk)), follow=True)
    row, visits = Series.objects.get(), Appointment.objects.order_by("scheduled_time")
    assert response.redirect_chain == [(f"{LIST}{row.pk}/change/", 302)]
    assert [one.scheduled_time for one in visits] == [weekly(number) for number in (1, 2, 3, 4)]
    assert {(one.series, one.room, one.notes, one.booked_by) for one in visits} == {
        (row, place, "Wound check", staff["receptionist"])
    }
    text = text_of(response)
    assert "Booked: John Doe, 4 of 4 appointments." in text
    assert all(f"{VISIT}{one.pk}/change/" in text for one in visits)
    assert "Not booked" not in text
    assert OutboxEvent.objects.filter(name="appointment.series_booked").count() == 1
    assert AuditEvent.objects.filter(action="series.read", object_id=row.pk, patient_id=john.pk).count() == 1


@pytest.mark.parametrize(
    ("rhythm", "first", "days", "expected"),
    [
        ({"frequency": "daily", "interval": "2"}, "2027-01-04", ["2027-01-04", "2027-01-06", "2027-01-08"], "every 2 days"),
        (
            {"by_weekday": ["0", "2"]},
            "2027-01-04",
            ["2027-01-04", "2027-01-06", "2027-01-11"],
            "every week on Monday and Wednesday",
        ),
        ({"frequency": "monthly"}, "2027-01-04", ["2027-01-04", "2027-02-04", "2027-03-04"], "every month"),
        (
            {"frequency": "monthly", "by_month_day": "31"},
            "2027-01-31",
            ["2027-01-31", "2027-03-31", "2027-05-31"],
            "every month on day 31",
        ),
        (
            {"frequency": "monthly", "by_month_day": "-1"},
            "2027-01-31",
            ["2027-01-31", "2027-02-28", "2027-03-31"],
            "every month on the last day",
        ),
        (
            {"frequency": "monthly", "by_weekday": ["1"], "by_set_position": "2", "count": "", "until": "2027-03-09"},
            "2027-01-12",
            ["2027-01-12", "2027-02-09", "2027-03-09"],
            "every month on the second Tuesday",
        ),
    ],
)
def test_a_daily_or_monthly_series_is_booked_as_the_form_says(
    receptionist_browser: Client, john: Patient, doctor: User, rhythm: dict[str, Any], first: str, days: list[str], expected: str
) -> None:
    asked = {"scheduled_time_0": first, "count": "3"} | rhythm
    plan = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, "preview", **asked)).context["plan"]
    assert not Series.objects.exists()
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, **asked), follow=True)
    visits = Appointment.objects.filter(patient=john).order_by("scheduled_time")
    assert [f"{clinic_day(one.scheduled_time)}" for one in visits] == days
    assert [row["at"] for row in plan] == [one.scheduled_time for one in visits]
    assert f">{expected}<" in text_of(response)


def clinic_day(at: datetime) -> date:
    return timezone.localtime(at, availability.clinic_zone()).date()


def test_a_conflicting_visit_is_listed_with_free_times_and_one_of_them_joins_the_series(
    receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    book(register_patient("Ann", "Roe"), doctor, weekly(2))
    text = text_of(receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor), follow=True))
    row = Series.objects.get()
    assert "Booked: John Doe, 3 of 4 appointments." in text
    assert "Not booked: 1" in text
    assert "Ann" not in text
    page = f"{LIST}{row.pk}/change/"
    (left,) = receptionist_browser.get(page).context["left_out"]  # looked at again, it is still there
    assert left["taken"] == ["doctor"]
    links = left["free_times"]
    assert [when[-5:] for _, when in links] == ["10:15", "10:30", "10:45"]
    form = receptionist_browser.get(links[1][0])
    assert 'value="10:30"' in text_of(form)
    values = {
        "doctor": str(doctor.pk),
        "appointment_type": "follow_up",
        "slot": "",
        "scheduled_time_0": str(monday(2)),
        "scheduled_time_1": "10:30",
    }
    joined = receptionist_browser.post(links[1][0], values, follow=True)
    assert joined.redirect_chain == [(page, 302)]
    assert "Not booked" not in text_of(joined)
    assert Appointment.objects.filter(series=row).count() == 4
    assert "All appointments of this series are booked." in text_of(
        receptionist_browser.post(links[1][0], values | {"scheduled_time_1": "11:30"})
    )
    assert Appointment.objects.filter(series=row).count() == 4


def test_a_visit_joins_no_series_of_another_patient(receptionist_browser: Client, john: Patient, doctor: User) -> None:
    row = booked(john, doctor)
    other = register_patient("Ann", "Roe")
    values = {
        "doctor": str(doctor.pk),
        "appointment_type": "follow_up",
        "slot": "",
        "scheduled_time_0": str(monday()),
        "scheduled_time_1": "12:00",
    }
    for series in (row.pk, uuid4(), "x"):
        text = text_of(receptionist_browser.post(f"{VISIT}add/?patient={other.pk}&series={series}", values))
        assert "There is no such series." in text
    assert not Appointment.objects.filter(patient=other).exists()


def test_what_would_be_booked_is_shown_and_nothing_is_written(receptionist_browser: Client, john: Patient, doctor: User) -> None:
    book(register_patient("Ann", "Roe"), doctor, weekly(3))
    facts, trail = OutboxEvent.objects.count(), list(AuditEvent.objects.values_list("pk", flat=True))
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, "preview"))
    plan = response.context["plan"]
    assert [(row["at"], row.get("taken", [])) for row in plan] == [
        (weekly(1), []),
        (weekly(2), []),
        (weekly(3), ["doctor"]),
        (weekly(4), []),
    ]
    text = text_of(response)
    assert "errornote" not in text
    assert "Wound check" in text
    assert not Series.objects.exists()
    assert not Appointment.objects.filter(patient=john).exists()
    assert OutboxEvent.objects.count() == facts
    assert AuditEvent.objects.exclude(pk__in=trail).get().action == "series.asked_for"  # the view of the form, no booking
    receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor))
    assert [one.scheduled_time for one in Appointment.objects.filter(patient=john).order_by("scheduled_time")] == [
        row["at"] for row in plan if "taken" not in row
    ]


def test_where_nothing_is_free_the_page_says_so_and_what_was_typed_stays(
    receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    for number in (1, 2):
        book(register_patient("Ann", f"Roe {number}"), doctor, weekly(number))
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, count="2"))
    text = text_of(response)
    assert "Nothing was booked: each time is taken" in text
    assert text.count("taken: doctor") == 2
    assert "Wound check" in text
    assert 'value="2"' in text
    assert not Series.objects.exists()
    shown = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, "preview", count="2"))
    assert [row["taken"] for row in shown.context["plan"]] == [["doctor"], ["doctor"]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"count": "1"}, "count"),
        ({"count": "53"}, "count"),
        ({"count": ""}, "count"),
        ({"until": "2099-01-01"}, "count"),  # in addition to the number of appointments
        ({"count": "", "until": "2000-01-01"}, "until"),
        ({"interval": "0"}, "interval"),
        ({"interval": "53"}, "interval"),
        ({"frequency": "monthly", "interval": "13"}, "interval"),
        ({"frequency": "yearly"}, "frequency"),
        ({"by_weekday": "7"}, "by_weekday"),
        ({"by_weekday": "1"}, "scheduled_time"),  # the first visit is on a Monday
        ({"by_month_day": "31"}, "by_month_day"),  # of a weekly series
        ({"frequency": "monthly", "by_month_day": "32"}, "by_month_day"),
        ({"frequency": "monthly", "by_month_day": "31", "by_weekday": "0"}, "by_month_day"),
        ({"by_set_position": "2", "by_weekday": "0"}, "by_set_position"),
        ({"frequency": "monthly", "by_weekday": "0"}, "by_set_position"),
        ({"scheduled_time_1": ""}, "scheduled_time"),
        ({"doctor": ""}, "doctor"),
    ],
)
@pytest.mark.parametrize("button", ["_save", "preview"])
def test_a_wrong_field_of_a_series_is_refused_at_it(
    receptionist_browser: Client, john: Patient, doctor: User, wrong: dict[str, str], field: str, button: str
) -> None:
    response = receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, button) | wrong)
    assert field in response.context["adminform"].form.errors
    assert "Wound check" in text_of(response)
    assert not Series.objects.exists()


def test_the_form_of_one_visit_leads_on_to_a_series_with_what_was_typed(
    receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    shown = text_of(receptionist_browser.get(f"{VISIT}add/?patient={john.pk}"))
    assert f'formaction="{ADD}?patient={john.pk}"' in shown
    values = {name: value for name, value in filled(doctor, "look").items() if name not in RHYTHM}
    text = text_of(receptionist_browser.post(f"{ADD}?patient={john.pk}", values | {"overbook_reason": ""}))
    assert "errornote" not in text
    assert "Wound check" in text
    assert 'name="count" value="4"' in text
    assert '<option value="weekly" selected>' in text
    assert not Appointment.objects.exists()


def test_looking_at_free_times_never_books(receptionist_browser: Client, john: Patient, doctor: User) -> None:
    text = text_of(receptionist_browser.post(f"{VISIT}add/?patient={john.pk}", filled(doctor, "look")))
    assert "errornote" not in text
    assert not Appointment.objects.exists()


def test_a_patient_who_is_not_active_gets_no_series(receptionist_browser: Client, doctor: User) -> None:
    gone = register_patient("Ann", "Roe")
    patients.deactivate(by=SYSTEM, patient_id=gone.pk)
    text = text_of(receptionist_browser.post(f"{ADD}?patient={gone.pk}", filled(doctor)))
    assert "inactive or deceased" in text
    assert not Series.objects.exists()


def test_an_unusual_time_is_warned_of_once_with_the_times_it_is_about(
    receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    text = text_of(
        receptionist_browser.post(f"{ADD}?patient={john.pk}", filled(doctor, scheduled_time_1="20:00", count="2"), follow=True)
    )
    assert text.count("outside the doctor&#x27;s published hours") == 1
    assert Appointment.objects.count() == 2


# Roles


def test_who_books_sees_and_cancels_series(staff: dict[str, User], john: Patient, doctor: User) -> None:
    row = booked(john, doctor)
    page, cancel = f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/cancel-rest/"
    may_act = {"admin", "doctor", "nurse", "receptionist"}
    may_see = may_act | {"billing", "manager"}
    for role, user in staff.items():
        person = browser(user)
        assert (person.get(page).status_code == 200) == (role in may_see), role
        assert (person.get(f"{ADD}?patient={john.pk}").status_code == 200) == (role in may_act), role
        assert (person.get(cancel).status_code == 200) == (role in may_act), role
        if role not in may_act:
            assert person.post(f"{ADD}?patient={john.pk}", filled(doctor)).status_code in (403, 404), role
            assert person.post(cancel, {}).status_code in (403, 404), role
    assert Series.objects.count() == 1
    assert not Appointment.objects.exclude(status="scheduled").exists()


def test_a_doctor_books_and_cancels_series_only_in_their_own_schedule(
    staff: dict[str, User], john: Patient, doctor: User
) -> None:
    other = hire("patel", "doctor", specialty="Cardiology")
    theirs = booked(john, other)
    smith = browser(doctor)
    refused = smith.post(f"{ADD}?patient={john.pk}", filled(other))
    assert "doctor" in refused.context["adminform"].form.errors
    assert smith.get(f"{LIST}{theirs.pk}/cancel-rest/").status_code == 403
    assert smith.post(f"{LIST}{theirs.pk}/cancel-rest/", {}).status_code == 403
    assert smith.post(f"{ADD}?patient={john.pk}", filled(doctor, scheduled_time_1="11:00")).status_code == 302
    assert Appointment.objects.filter(doctor=doctor).count() == 4


def test_the_series_of_a_closed_chart_is_not_there(
    staff: dict[str, User], receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    row = booked(john, doctor)
    restrict(john)
    assert receptionist_browser.get(f"{LIST}{row.pk}/change/").status_code == 404
    assert f"{row.pk}" not in text_of(receptionist_browser.get(LIST))


# The page, the list, the visit's page


def test_a_visit_leads_to_its_series_and_another_to_weekly_follow_ups(
    receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    row = booked(john, doctor)
    second = Appointment.objects.order_by("scheduled_time")[1]
    text = text_of(receptionist_browser.get(f"{VISIT}{second.pk}/change/"))
    assert "Appointment 2 of 3: view all" in text
    assert f"{LIST}{row.pk}/change/" in text
    alone = book(register_patient("Ann", "Roe"), doctor, at("15:00"), duration_minutes=20)
    shown = receptionist_browser.get(f"{VISIT}{alone.pk}/change/")
    (url,) = [
        url for panel in shown.context["panels"] for words, url in panel.row_links if words == "Book follow-up appointments"
    ]
    form = text_of(receptionist_browser.get(url))
    assert f'value="{monday(2)}"' in form
    assert 'value="15:00"' in form
    assert 'name="duration_minutes" value="20"' in form
    billing = text_of(browser(User.objects.get(role="billing")).get(f"{VISIT}{alone.pk}/change/"))
    assert "Book follow-up appointments" not in billing


def test_series_are_found_by_patient(receptionist_browser: Client, john: Patient, doctor: User) -> None:
    mine, other = booked(john, doctor), booked(register_patient("Ann", "Roe"), doctor, when="11:00")
    text = text_of(receptionist_browser.get(f"{LIST}?q=roe"))
    assert str(other.pk) in text
    assert str(mine.pk) not in text


def test_the_list_and_a_page_take_as_many_statements_whatever_is_in_them(
    receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    first = booked(john, doctor, 2)
    for address in (LIST, f"{LIST}{first.pk}/change/"):
        with CaptureQueriesContext(
            connection,
        ) as few:
            receptionist_browser.get(address)
        long = booked(john, doctor, 8, "11:00") if address == LIST else booked(john, doctor, 12, "13:00")
        booked(register_patient("Ann", f"Roe {long.pk}"), doctor, 3, "14:00" if address == LIST else "15:00")
        with CaptureQueriesContext(connection) as many:
            receptionist_browser.get(address if address == LIST else f"{LIST}{long.pk}/change/")
        assert len(many) == len(few), address


# Cancelling


def test_what_is_left_is_cancelled_with_the_reason(
    staff: dict[str, User], receptionist_browser: Client, john: Patient, doctor: User
) -> None:
    row = booked(john, doctor)
    address = reverse("admin:appointments_series_cancel_rest", args=[row.pk])
    assert address in text_of(receptionist_browser.get(f"{LIST}{row.pk}/change/"))
    values = {"since": str(monday(2)), "reason": " Moved away ", "notify_patient": ""}
    text = text_of(receptionist_browser.post(address, values, follow=True))
    assert "Appointments cancelled: 2." in text
    rows = Appointment.objects.order_by("scheduled_time").values_list("status", "cancellation_reason")
    assert list(rows) == [("scheduled", ""), ("cancelled", "Moved away"), ("cancelled", "Moved away")]
    receptionist_browser.post(address, {"reason": "All of it"})
    assert not Appointment.objects.exclude(status="cancelled").exists()
    again = receptionist_browser.post(address, {"reason": "Once more"})
    assert "This series has no future appointments." in text_of(again)
    assert "Once more" in text_of(again)
    assert receptionist_browser.get(address).status_code == 403  # not offered any more
    assert address not in text_of(receptionist_browser.get(f"{LIST}{row.pk}/change/"))
