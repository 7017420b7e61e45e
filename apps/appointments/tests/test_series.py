"""Series: the same time of day every so many weeks; conflicts are listed and stop none of the others; cancelling the rest."""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, create_staff, hire
from apps.appointments import services
from apps.appointments.models import Appointment, Series
from apps.appointments.scheduling import recurrence
from apps.appointments.scheduling.recurrence import ClockChange, Frequency, Rhythm
from apps.appointments.services import NewAppointment, NewSeries, NothingBooked, NothingToCancel
from apps.appointments.services.series import BookedSeries
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.common.errors import Forbidden, HimsError, Invalid
from apps.common.tests.concurrency import race, run_concurrently
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

CALIFORNIA = ZoneInfo("America/Los_Angeles")


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


@pytest.fixture
def patient(db: None) -> Patient:
    return register_patient()


def series(patient: Patient, doctor: User, first: datetime | None = None, **more: Any) -> BookedSeries:
    visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=first or at())
    return services.book_series(by=SYSTEM, new=NewSeries(first=visit, rhythm=Rhythm(**({"count": 4} | more))))


def body(patient: Patient, doctor: User | None, **more: Any) -> dict[str, Any]:
    named = {"doctor_id": str(doctor.pk)} if doctor else {}
    return {"patient_id": str(patient.pk), "scheduled_time": at().isoformat(), "occurrences": 3, **named, **more}


# When


def wall(first: str, zone: str = "America/Los_Angeles", **more: Any) -> list[tuple[str, str]]:
    begin = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone))
    times = recurrence.occurrences(begin, zone=ZoneInfo(zone), rhythm=Rhythm(**({"count": 3} | more)))
    return [(f"{one.at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}", str(one.change)) for one in times]


def test_ten_o_clock_stays_ten_o_clock_when_the_clocks_change() -> None:
    assert wall("2027-03-08T10:00") == [("03-08 10:00", ""), ("03-15 10:00", ""), ("03-22 10:00", "")]
    assert wall("2027-10-28T10:00", interval=2) == [("10-28 10:00", ""), ("11-11 10:00", ""), ("11-25 10:00", "")]


def test_a_time_the_clocks_skip_is_as_long_after_the_jump_with_a_warning() -> None:
    assert wall("2027-03-07T02:30", count=3) == [
        ("03-07 02:30", ""),
        ("03-14 03:30", ClockChange.SKIPPED.value),
        ("03-21 02:30", ""),
    ]


def test_of_a_time_the_clocks_repeat_it_is_the_first_with_a_warning() -> None:
    booked = list(
        recurrence.occurrences(datetime(2027, 10, 31, 1, 30, tzinfo=CALIFORNIA), rhythm=Rhythm(count=2), zone=CALIFORNIA)
    )
    assert booked[1].change is ClockChange.REPEATED
    assert (booked[1].at - booked[0].at) == timedelta(days=7)  # the first 01:30 is still in summer time


def days(first: str, **rhythm: Any) -> list[str]:
    return [day.split()[0] for day, _ in wall(f"{first}T10:00", **rhythm)]


def test_a_daily_series_is_every_so_many_days() -> None:
    assert days("2027-01-30", frequency=Frequency.DAILY, interval=2) == ["01-30", "02-01", "02-03"]


def test_the_31st_of_each_month_skips_shorter_months() -> None:
    assert days("2027-01-31", frequency=Frequency.MONTHLY, by_month_day=31) == ["01-31", "03-31", "05-31"]
    assert days("2027-01-31", frequency=Frequency.MONTHLY) == ["01-31", "03-31", "05-31"]
    assert days("2027-01-31", frequency=Frequency.MONTHLY, by_month_day=-1) == ["01-31", "02-28", "03-31"]


def test_the_second_tuesday_and_the_last_friday_of_each_month() -> None:
    second_tuesday = {"frequency": Frequency.MONTHLY, "by_weekday": (1,), "by_set_position": 2}
    assert days("2027-01-12", **second_tuesday) == ["01-12", "02-09", "03-09"]
    assert days("2027-01-29", frequency=Frequency.MONTHLY, by_weekday=(4,), by_set_position=-1) == ["01-29", "02-26", "03-26"]


def test_several_weekdays_and_a_last_day() -> None:
    until = {"count": None, "until": date(2027, 1, 15)}
    assert days("2027-01-04", by_weekday=(0, 2, 4), **until) == ["01-04", "01-06", "01-08", "01-11", "01-13", "01-15"]


@pytest.mark.parametrize(
    ("rhythm", "field"),
    [
        ({"frequency": Frequency.MONTHLY, "by_weekday": (1,), "by_set_position": 2}, "scheduled_time"),  # 4 January is a Monday
        ({"frequency": Frequency.MONTHLY, "by_weekday": (0,)}, "by_set_position"),
        ({"by_set_position": 1, "by_weekday": (0,)}, "by_set_position"),
        ({"by_month_day": 4}, "by_month_day"),
        ({"frequency": Frequency.MONTHLY, "by_month_day": 0}, "by_month_day"),
        ({"frequency": Frequency.MONTHLY, "interval": 13}, "interval"),
        ({"by_weekday": (7,)}, "by_weekday"),
        ({"count": None}, "count"),
        ({"until": date(2027, 3, 1)}, "count"),
        ({"count": None, "until": date(2027, 1, 5)}, "until"),
        ({"count": None, "until": date(2029, 1, 5)}, "until"),
    ],
)
def test_a_rhythm_that_cannot_be_meant_names_its_part(rhythm: dict[str, Any], field: str) -> None:
    with pytest.raises(recurrence.InvalidRecurrence) as unfit:
        days("2027-01-04", **rhythm)
    assert unfit.value.field == field


# Booking


def test_a_series_is_booked_at_the_same_time_of_each_week(doctor: User, patient: Patient) -> None:
    done = series(patient, doctor, interval=2, count=5)
    times = [row.scheduled_time for row in done.appointments]
    assert [value.astimezone(CALIFORNIA).time() for value in times] == [time(10)] * 5
    assert [value.astimezone(CALIFORNIA).date() for value in times] == [monday() + timedelta(weeks=2 * n) for n in range(5)]
    assert set(Appointment.objects.values_list("series", flat=True)) == {done.series.pk}
    assert (done.series.every_weeks, done.series.occurrences, done.clashes) == (2, 5, ())


def test_a_conflict_is_listed_with_free_times_and_stops_none_of_the_others(doctor: User, patient: Patient) -> None:
    book(register_patient("Other"), doctor, at(day=monday(2)))
    book(patient, hire("dr.other", "doctor", specialty="Cardiology"), at(day=monday(3)))
    done = series(patient, doctor)
    assert len(done.appointments) == 2
    assert [(clash.scheduled_time, clash.taken) for clash in done.clashes] == [
        (at(day=monday(2)), ["doctor"]),
        (at(day=monday(3)), ["patient"]),
    ]
    assert [len(clash.alternatives) for clash in done.clashes] == [3, 3]
    assert done.clashes[0].alternatives[0]["scheduled_time"] == at("10:15", monday(2))


def test_where_nothing_is_free_nothing_is_written(doctor: User, patient: Patient) -> None:
    for week in (1, 2):
        book(register_patient("Other", str(week)), doctor, at(day=monday(week)))
    with pytest.raises(NothingBooked) as refused:
        series(patient, doctor, count=2)
    assert [clash["taken"] for clash in refused.value.details["clashes"]] == [["doctor"], ["doctor"]]
    assert not Series.objects.exists()
    assert not OutboxEvent.objects.filter(name="appointment.series_booked").exists()


def test_each_visit_and_the_series_are_announced(doctor: User, patient: Patient) -> None:
    done = series(patient, doctor)
    assert OutboxEvent.objects.filter(name="appointment.created").count() == 4
    payload = OutboxEvent.objects.get(name="appointment.series_booked").payload
    assert (payload["series_id"], payload["booked"], payload["every_weeks"]) == (str(done.series.pk), 4, 1)
    assert AuditEvent.objects.get(action="appointment.series_booked").patient_id == patient.pk


def test_a_room_conflict_is_listed_too(doctor: User, patient: Patient) -> None:
    place = room()
    book(register_patient("Other"), hire("dr.other", "doctor", specialty="Cardiology"), at(day=monday(2)), room_id=place.pk)
    visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=at(), room_id=place.pk)
    done = services.book_series(by=SYSTEM, new=NewSeries(first=visit, rhythm=Rhythm(count=3)))
    assert [clash.taken for clash in done.clashes] == [["room"]]


def test_what_is_wrong_in_any_schedule_is_refused_whole(doctor: User, patient: Patient) -> None:
    visit = NewAppointment(patient_id=uuid4(), doctor_id=doctor.pk, scheduled_time=at())
    with pytest.raises(Invalid):
        services.book_series(by=SYSTEM, new=NewSeries(first=visit, rhythm=Rhythm(count=3)))
    for wrong in ({"count": 1}, {"count": 53}, {"interval": 0}, {"interval": 53}):
        with pytest.raises(Invalid):
            series(patient, doctor, **wrong)
    assert not Series.objects.exists()


def test_a_warning_is_shown_once_with_the_times_it_is_about(doctor: User, patient: Patient) -> None:
    done = series(patient, doctor, at("18:00"))
    assert [(one.code, len(one.scheduled_times)) for one in done.warnings] == [("outside_hours", 4)]


def test_the_clocks_are_in_the_warnings(doctor: User, patient: Patient) -> None:
    first = datetime(2027, 3, 7, 2, 30, tzinfo=CALIFORNIA)
    done = series(patient, doctor, first)
    assert [(one.code, one.scheduled_times) for one in done.warnings if one.code.startswith("clocks")] == [
        ("clocks_skip_time", (datetime(2027, 3, 14, 3, 30, tzinfo=CALIFORNIA),))
    ]


def test_a_doctor_books_series_for_himself_alone(doctor: User, patient: Patient) -> None:
    other = hire("dr.other", "doctor", specialty="Cardiology")
    visit = NewAppointment(patient_id=patient.pk, doctor_id=other.pk, scheduled_time=at())
    with pytest.raises(Forbidden):
        services.book_series(by=doctor, new=NewSeries(first=visit, rhythm=Rhythm(count=2)))
    own = NewAppointment(patient_id=patient.pk, scheduled_time=at())
    assert len(services.book_series(by=doctor, new=NewSeries(first=own, rhythm=Rhythm(count=2))).appointments) == 2


# Cancelling


def test_the_rest_of_a_series_is_cancelled_from_a_day_on(doctor: User, patient: Patient) -> None:
    done = series(patient, doctor)
    gone = services.cancel_rest(by=SYSTEM, series_id=done.series.pk, reason="Moved away", since=at("00:00", monday(3)))
    assert [row.scheduled_time for row in gone] == [at(day=monday(3)), at(day=monday(4))]
    assert Appointment.objects.filter(series=done.series, status="scheduled").count() == 2
    assert {row.cancellation_reason for row in gone} == {"Moved away"}
    assert OutboxEvent.objects.filter(name="appointment.updated").count() == 2
    assert book(register_patient("Other"), doctor, at(day=monday(3)))  # its time is free again


def test_visits_that_have_begun_or_are_over_are_not_cancelled(doctor: User, patient: Patient) -> None:
    done = series(patient, doctor)
    services.check_in(by=SYSTEM, appointment_id=done.appointments[0].pk, early=True)
    services.cancel(by=SYSTEM, appointment_id=done.appointments[1].pk)
    assert len(services.cancel_rest(by=SYSTEM, series_id=done.series.pk)) == 2
    with pytest.raises(NothingToCancel):
        services.cancel_rest(by=SYSTEM, series_id=done.series.pk)


def test_a_doctor_cancels_no_series_of_another(doctor: User, patient: Patient) -> None:
    done = series(patient, doctor)
    other = hire("dr.other", "doctor", specialty="Cardiology")
    with pytest.raises(Forbidden):
        services.cancel_rest(by=other, series_id=done.series.pk)
    assert Appointment.objects.filter(status="scheduled").count() == 4


# Over the API


def test_a_series_over_the_api_says_what_was_booked_and_what_was_not(
    staff: dict[str, User], doctor: User, patient: Patient
) -> None:
    book(register_patient("Other"), doctor, at(day=monday(2)))
    receptionist_api = api_client(staff["receptionist"])
    reply = receptionist_api.post("/appointments/series", body(patient, doctor))
    assert reply.status_code == 201, reply.content
    booked_series = reply.json()["data"]["series"]
    assert (
        booked_series["occurrences"],
        booked_series["booked"],
        len(booked_series["appointments"]),
        len(booked_series["clashes"]),
    ) == (3, 2, 2, 1)
    assert len(booked_series["clashes"][0]["alternatives"]) == 3
    again = receptionist_api.get(reply.headers["Location"].removeprefix("/v1"))
    assert again.status_code == 200
    assert [row["id"] for row in again.json()["data"]["series"]["appointments"]] == [
        row["id"] for row in booked_series["appointments"]
    ]
    assert AuditEvent.objects.get(action="series.read").patient_id == patient.pk


def test_a_series_without_a_free_time_answers_409(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    for week in (1, 2):
        book(register_patient("Other", str(week)), doctor, at(day=monday(week)))
    reply = api_client(staff["nurse"]).post("/appointments/series", body(patient, doctor, occurrences=2))
    assert reply.status_code == 409
    assert len(reply.json()["error"]["details"]["clashes"]) == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"every_weeks": 0}, "every_weeks"),
        ({"every_weeks": 53}, "every_weeks"),
        ({"occurrences": 1}, "occurrences"),
        ({"occurrences": 53}, "occurrences"),
        ({"occurrences": None, "count": 53}, "occurrences"),
        ({"count": 4}, "occurrences"),  # contradicts occurrences
        ({"frequency": "yearly"}, "frequency"),
        ({"frequency": "daily", "every_weeks": 2}, "every_weeks"),
        ({"frequency": "monthly", "by_month_day": 0}, "by_month_day"),
        ({"scheduled_time": "2027-01-04T10:00:00"}, "scheduled_time"),
        ({"overbook_reason": "Why not"}, "overbook_reason"),
        ({"status": "requested"}, "status"),
        ({"doctor_id": str(uuid4())}, "doctor_id"),
        ({"room_id": str(uuid4())}, "room_id"),
    ],
)
def test_a_wrong_field_of_a_series_is_named(
    staff: dict[str, User], doctor: User, patient: Patient, wrong: dict[str, Any], field: str
) -> None:
    reply = api_client(staff["receptionist"]).post("/appointments/series", body(patient, doctor) | wrong)
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)


def test_a_series_on_the_second_tuesday_shows_its_rhythm(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    rhythm = {"frequency": "monthly", "by_weekday": [1], "by_set_position": 2, "count": 3}
    sent = body(patient, doctor, **rhythm) | {"scheduled_time": "2027-01-12T18:00:00Z"}
    del sent["occurrences"]
    reply = api_client(staff["receptionist"]).post("/appointments/series", sent)
    assert reply.status_code == 201, reply.content
    shown = reply.json()["data"]["series"]
    assert [row["scheduled_time"][:10] for row in shown["appointments"]] == ["2027-01-12", "2027-02-09", "2027-03-09"]
    assert {name: shown[name] for name in ("frequency", "interval", "by_weekday", "by_set_position", "occurrences")} == {
        **{"frequency": "monthly", "interval": 1, "by_weekday": [1], "by_set_position": 2, "occurrences": 3}
    }
    assert shown["every_weeks"] == 0


def test_the_database_keeps_a_rhythm_in_range(doctor: User, patient: Patient) -> None:
    row = series(patient, doctor).series
    for wrong in ({"interval": 53}, {"frequency": "yearly"}, {"by_month_day": 3}, {"by_weekday": [7]}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Series.objects.filter(pk=row.pk).update(**wrong)


def test_who_books_and_cancels_series(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    other = hire("dr.other", "doctor", specialty="Cardiology")
    assert api_client(staff["billing"]).post("/appointments/series", body(patient, doctor)).status_code == 403
    assert api_client(other).post("/appointments/series", body(patient, doctor)).status_code == 403
    done = api_client(doctor).post("/appointments/series", body(patient, None))
    assert done.status_code == 201
    address = done.headers["Location"].removeprefix("/v1")
    assert api_client(staff["pharmacist"]).get(address).status_code == 403
    seen = api_client(staff["billing"]).get(address)
    assert seen.status_code == 200
    assert "notes" not in seen.json()["data"]["series"]["appointments"][0]
    assert api_client(staff["billing"]).post(f"{address}/cancel", {}).status_code == 403
    assert api_client(other).post(f"{address}/cancel", {}).status_code == 403
    gone = api_client(doctor).post(f"{address}/cancel", {"from": monday(2).isoformat(), "cancellation_reason": "Well again"})
    assert gone.status_code == 200, gone.content
    assert len(gone.json()["data"]["series"]["cancelled"]) == 2
    assert api_client(staff["nurse"]).post(f"{address}/cancel", {"from": monday(2).isoformat()}).status_code == 409


def test_a_key_books_a_series_with_the_scope(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    wanted = body(patient, doctor)
    reads = api_key_client(create_api_key(staff["nurse"], "appointments:read").text)
    assert reads.post("/appointments/series", wanted).status_code == 403
    writes = api_key_client(create_api_key(staff["nurse"], "appointments:write").text)
    first = writes.post("/appointments/series", wanted, HTTP_IDEMPOTENCY_KEY="one")
    again = writes.post("/appointments/series", wanted, HTTP_IDEMPOTENCY_KEY="one")
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replayed"]) == (201, 201, "true")
    assert Appointment.objects.count() == 3


def test_the_series_of_a_closed_chart_is_not_there(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    done = series(patient, doctor)
    restrict(patient)
    address = f"/appointments/series/{done.series.pk}"
    assert api_client(staff["receptionist"]).get(address).status_code == 404
    assert api_client(staff["receptionist"]).post(f"{address}/cancel", {}).status_code == 404
    assert api_client(staff["receptionist"]).post("/appointments/series", body(patient, doctor)).status_code == 400
    assert api_client(doctor).get(address).status_code == 200
    assert api_client(doctor).get(f"/appointments/series/{uuid4()}").status_code == 404


def test_a_series_is_read_in_few_statements(
    staff: dict[str, User], doctor: User, patient: Patient, django_assert_max_num_queries: Any
) -> None:
    done = series(patient, doctor, count=10)
    who = api_client(staff["nurse"])
    with django_assert_max_num_queries(5):
        assert who.get(f"/appointments/series/{done.series.pk}").status_code == 200


# Many at once


def refused(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except HimsError as refusal:
        return refusal


@pytest.mark.django_db(transaction=True)
def test_two_series_of_one_doctor_at_once_never_wait_in_a_circle() -> None:
    doctor = create_staff()["doctor"]
    publish(doctor)
    people = [register_patient("Twin", str(number)) for number in range(2)]
    for number in range(50):
        shift = timedelta(weeks=8 * (number % 4))  # they share some of their weeks, not all, and begin elsewhere
        firsts = [at() + timedelta(minutes=15 * (number // 4)), at() + timedelta(minutes=15 * (number // 4)) + timedelta(weeks=3)]
        outcomes = run_concurrently(
            2,
            lambda place: refused(lambda: series(people[place], doctor, firsts[place] + shift, count=6)),  # noqa: B023
        )
        assert all(isinstance(one, BookedSeries | NothingBooked) for one in outcomes), outcomes
    booked_times = list(Appointment.objects.order_by("scheduled_time").values_list("scheduled_time", flat=True))
    assert len(set(booked_times)) == len(booked_times) > 50


@pytest.mark.django_db(transaction=True)
def test_series_bookings_and_moves_of_one_schedule_never_wait_in_a_circle() -> None:
    dice, doctors = random.Random(11), [create_staff()["doctor"], hire("dr.other", "doctor", specialty="Cardiology")]
    for one in doctors:
        publish(one)
    people = [register_patient("Crowd", str(number)) for number in range(4)]

    def change(row: Appointment, weeks: int, to: User) -> Any:
        there = {"scheduled_time": at() + timedelta(weeks=weeks), "doctor_id": to.pk}
        return services.change(by=SYSTEM, appointment_id=row.pk, changes=there)

    for _ in range(12):
        rows = [refused(lambda n=n: book(people[n], dice.choice(doctors), at(day=monday(1 + n)))) for n in range(4)]
        actions: list[Callable[[], Any]] = [
            lambda: series(people[0], doctors[0], count=5),
            lambda: series(people[1], doctors[0], at(day=monday(3)), count=5),
            lambda: series(people[2], doctors[1], count=5),
            *[
                (lambda row=row, weeks=weeks, to=to: change(row, weeks, to))
                for row, weeks, to in (
                    (row, dice.randrange(5), dice.choice(doctors)) for row in rows if isinstance(row, Appointment)
                )
            ],
            lambda: book(people[3], doctors[0], at(day=monday(2))),
        ]
        dice.shuffle(actions)
        for one in race(*actions):
            assert one is None or not isinstance(one, BaseException) or isinstance(one, HimsError), one
            assert getattr(one, "code", "") != "SERVICE_UNAVAILABLE", one
        Appointment.objects.exclude(status="cancelled").update(status="cancelled", cancelled_at=at())
