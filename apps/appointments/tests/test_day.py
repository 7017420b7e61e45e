"""The appointments of a day in numbers, who arrives next, where the doctors are, and the next free times."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import hire
from apps.appointments import services
from apps.appointments.models import Appointment, WorkingHours
from apps.appointments.queue import board, day
from apps.appointments.queue.doctors_now import Presence, doctors_now, presence_at
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling.free_times import next_of_each
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.common import clock
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def ten_o_clock() -> Iterator[Any]:
    with time_machine.travel(at("10:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    return staff["doctor"]


def set_status(row: Appointment, status: Status) -> Appointment:
    Appointment.objects.filter(pk=row.pk).update(status=status, cancelled_at=clock.now() if status == "cancelled" else None)
    return row


def patient_named(last_name: str) -> Any:
    return register_patient("Ann", last_name)


def today_at(time: str) -> Any:
    return at(time, clock.today())


def test_a_day_is_counted_by_status_and_cancelled_appointments_are_no_part_of_the_total(
    staff: dict[str, User], doctor: User
) -> None:
    for hour, status in enumerate([Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED, Status.CONFIRMED]):
        set_status(book(patient_named(f"Roe{'abcd'[hour]}"), doctor, today_at(f"1{hour}:00")), status)
    book(patient_named("Late"), doctor, today_at("23:45"))
    book(patient_named("Early"), doctor, at("00:00", clock.today() + timedelta(days=1)))
    here, tomorrow = day.numbers(staff["receptionist"], [clock.today(), clock.today() + timedelta(days=1)])
    assert (here.total, here.of(Status.CANCELLED), here.of(*day.TO_ARRIVE)) == (4, 1, 2)
    assert (tomorrow.total, tomorrow.of(*day.NOT_CONFIRMED)) == (1, 1)
    assert day.numbers(staff["pharmacist"], [clock.today()])[0].total == 0


def test_a_restricted_chart_is_not_counted_for_users_who_may_not_see_it(staff: dict[str, User], doctor: User) -> None:
    dora = patient_named("Hale")
    book(dora, doctor, today_at("11:00"))
    restrict(dora, staff["nurse"])
    assert [day.numbers(staff[role], [clock.today()])[0].total for role in ("nurse", "receptionist")] == [1, 0]
    assert day.arriving(staff["receptionist"], 8) == []
    assert [one.numbers.total for one in day.load(staff["receptionist"])] == []


def test_late_patients_come_first_but_only_a_few_hide_the_next_ones(staff: dict[str, User], doctor: User) -> None:
    for number in range(5):
        book(patient_named(f"Late{'abcde'[number]}"), doctor, today_at("08:00") + number * 15 * MINUTE)
    for number in range(6):
        book(patient_named(f"Next{'abcdef'[number]}"), doctor, today_at("11:00") + number * 15 * MINUTE)
    shown = [row.patient.last_name for row in day.arriving(staff["receptionist"], 8)]
    assert shown == ["Latec", "Lated", "Latee", "Nexta", "Nextb", "Nextc", "Nextd", "Nexte"]
    set_status(Appointment.objects.get(patient__last_name="Nexta"), Status.CHECKED_IN)
    assert "Nexta" not in [row.patient.last_name for row in day.arriving(staff["receptionist"], 8)]
    Appointment.objects.filter(patient__last_name__startswith="Next").exclude(patient__last_name="Nextb").update(status="no_show")
    assert [row.patient.last_name for row in day.arriving(staff["receptionist"], 8)] == [
        *("Latea", "Lateb", "Latec", "Lated", "Latee"),
        "Nextb",
    ]


def test_a_doctors_day_has_the_patients_who_were_handed_over_and_not_those_of_others(
    staff: dict[str, User], doctor: User
) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    own = book(patient_named("Own"), doctor, today_at("11:00"))
    passed, taken = (
        book(patient_named("Passed"), doctor, today_at("11:30")),
        book(patient_named("Taken"), patel, today_at("11:15")),
    )
    for row, attending in ((passed, patel), (taken, doctor)):
        Appointment.objects.filter(pk=row.pk).update(status="in_progress", attending_doctor=attending, checked_in_at=clock.now())
    set_status(book(patient_named("Gone"), doctor, today_at("12:00")), Status.CANCELLED)
    early = book(patient_named("Early"), doctor, at("09:00", clock.today() + timedelta(days=2)))
    services.check_in(by=SYSTEM, appointment_id=early.pk, early=True)
    assert [row.pk for row in day.of_doctor(doctor, doctor.pk)] == [own.pk, taken.pk, early.pk]


def test_the_load_of_a_doctor_is_the_booked_share_of_the_hours_without_time_off(staff: dict[str, User], doctor: User) -> None:
    publish(doctor)
    off = TimeSpan(today_at("13:00"), today_at("17:00"))
    services.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=off.start, ends_at=off.end, reason="")
    book(patient_named("Roe"), doctor, today_at("11:00"), duration_minutes=60)
    set_status(book(patient_named("Doe"), doctor, today_at("12:00"), duration_minutes=60), Status.CANCELLED)
    hire("idle", "doctor", specialty="Cardiology", last_name="Idle")
    (one,) = day.load(staff["receptionist"])
    assert (one.doctor.pk, one.booked_minutes, one.open_minutes, one.share) == (doctor.pk, 60, 240, 25)


def test_a_doctor_is_late_by_what_the_next_waiting_patient_waits_beyond_the_due_time(
    staff: dict[str, User], doctor: User, ten_o_clock: Any
) -> None:
    publish(doctor)
    WorkingHours.objects.filter(schedule=doctor.pk).update(room=room("Room 7"))
    rows = [book(patient_named(f"Roe{name}"), doctor, today_at(time)) for name, time in (("a", "10:00"), ("b", "10:15"))]
    for row in rows:
        services.check_in(by=SYSTEM, appointment_id=row.pk)

    def now() -> tuple[Any, ...]:
        by = staff["receptionist"]
        (one,) = doctors_now(by, board.current(by=by).entries)
        return (one.presence, one.minutes_late, one.room)

    assert now() == (Presence.HERE, 0, "Room 7")
    ten_o_clock.move_to(today_at("10:20"))
    assert now() == (Presence.HERE, 20, "Room 7")
    services.start(by=SYSTEM, appointment_id=rows[0].pk)  # the second is due since 10:15 and is called at 10:35
    assert now() == (Presence.HERE, 20, "Room 7")


@pytest.mark.parametrize(
    ("time", "presence", "until"),
    [
        ("08:00", Presence.LATER, "09:00"),
        ("09:30", Presence.HERE, None),
        ("12:30", Presence.AWAY, "13:00"),
        ("14:30", Presence.AWAY, "15:00"),
        ("17:30", Presence.FINISHED, "17:00"),
    ],
)
def test_where_a_doctor_is_follows_the_hours_and_the_time_off(time: str, presence: Presence, until: str | None) -> None:
    day_ = monday()
    spans = [TimeSpan(at("09:00", day_), at("12:00", day_)), TimeSpan(at("13:00", day_), at("17:00", day_))]
    off = [TimeSpan(at("14:00", day_), at("15:00", day_))]
    expected = (presence, at(until, day_) if until else None)
    assert presence_at(at(time, day_), spans, off, has_patients=False) == expected


def test_a_doctor_with_patients_is_here_after_the_hours() -> None:
    assert presence_at(at("18:00"), [TimeSpan(at("09:00"), at("17:00"))], [], has_patients=True) == (Presence.HERE, None)


def test_the_next_free_time_of_each_doctor_is_neither_booked_nor_off_and_the_soonest_is_first(
    staff: dict[str, User], doctor: User
) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    idle = hire("idle", "doctor", specialty="Cardiology", last_name="Idle")
    publish(doctor), publish(patel)
    book(patient_named("Roe"), doctor, today_at("10:00"))
    services.add_time_off(by=SYSTEM, doctor_id=patel.pk, starts_at=today_at("09:00"), ends_at=today_at("17:00"), reason="")
    free = [
        (one.doctor.pk, one.span.start, (one.span.end - one.span.start) // MINUTE)
        for one in next_of_each(staff["receptionist"], number=3)
    ]
    tomorrow = clock.today() + timedelta(days=1)
    assert free == [(doctor.pk, today_at("10:15"), 15), (patel.pk, at("09:00", tomorrow), 15)]
    assert idle.pk not in {pk for pk, *_ in free}


def test_the_numbers_and_times_need_the_same_statements_for_one_doctor_and_for_four(staff: dict[str, User], doctor: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as log:
            by = staff["receptionist"]
            day.numbers(by, [clock.today()]), day.arriving(by, 8), day.load(by), next_of_each(by, number=3), doctors_now(by, [])
        return len(log)

    publish(doctor)
    book(patient_named("Roe"), doctor, today_at("11:00"))
    few = statements()
    for number in range(3):
        other = hire(f"other{number}", "doctor", specialty="Cardiology", last_name=f"Other{'abc'[number]}")
        publish(other)
        for time in ("11:00", "11:30", "12:00"):
            book(patient_named(f"Roe{'abc'[number]}{time[3]}{time[1]}"), other, today_at(time))
    assert statements() == few <= 17
