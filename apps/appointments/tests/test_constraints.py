"""What the database itself refuses, even by raw SQL."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import User
from apps.accounts.tests.factories import hire
from apps.appointments.models import Appointment, AppointmentLength, DoctorSchedule, Room, StatusChange, TimeOff, WorkingHours
from apps.appointments.tests.factories import at, book, publish, room
from apps.common import clock
from apps.common.ids import new_id
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(staff: dict[str, User]) -> Appointment:
    return book(register_patient(), staff["doctor"], room_id=room().pk)


def insert(visit: Appointment, **changes: Any) -> None:
    """A row like this visit's, by raw SQL."""
    values = {field.column: getattr(visit, field.attname) for field in Appointment._meta.concrete_fields}
    values |= {"id": new_id(), **changes}
    with transaction.atomic(), connection.cursor() as cursor:
        names, placeholders = ", ".join(values), ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO appointments_appointment ({names}) VALUES ({placeholders})", list(values.values()))


def elsewhere(visit: Appointment) -> dict[str, Any]:
    """Another patient, doctor and room."""
    other = hire("dr.two", "doctor", specialty="Cardiology")
    return {"patient_id": register_patient("Ann", "Roe").pk, "doctor_id": other.pk, "room_id": room("Room 2").pk}


@pytest.mark.parametrize("what", ["doctor", "patient", "room"])
@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_raw_sql_cannot_double_book(visit: Appointment, what: str, minutes: int) -> None:
    shift = timedelta(minutes=minutes)
    times = {"scheduled_time": visit.scheduled_time + shift, "ends_at": visit.ends_at + shift}
    there = elsewhere(visit)
    insert(visit, **there, **times)
    there = {name: value for name, value in elsewhere_again().items() if name != f"{what}_id"}
    with pytest.raises(IntegrityError, match=f"appointment_{what}_not_twice"):
        insert(visit, **there, **times)


def elsewhere_again() -> dict[str, Any]:
    other = hire("dr.three", "doctor", specialty="Cardiology")
    return {"patient_id": register_patient("Bea", "Roe").pk, "doctor_id": other.pk, "room_id": room("Room 3").pk}


@pytest.mark.parametrize("status", ["scheduled", "confirmed", "checked_in", "in_progress"])
def test_whatever_is_live_holds_its_time(visit: Appointment, status: str) -> None:
    Appointment.objects.filter(pk=visit.pk).update(status=status)
    with pytest.raises(IntegrityError):
        insert(visit)


@pytest.mark.parametrize("status", ["requested", "completed", "no_show"])
def test_what_is_not_live_holds_nothing(visit: Appointment, status: str) -> None:
    Appointment.objects.filter(pk=visit.pk).update(status=status)
    insert(visit)
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.filter(pk=visit.pk).update(status="scheduled")


def test_touching_visits_stand_side_by_side(visit: Appointment) -> None:
    length = timedelta(minutes=visit.duration_minutes)
    for shift in (-length, length):
        insert(visit, scheduled_time=visit.scheduled_time + shift, ends_at=visit.ends_at + shift)
    assert Appointment.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"status": "asleep"}, "appointment_status_known"),
        ({"appointment_type": "party"}, "appointment_type_known"),
        ({"triage": "later"}, "appointment_triage_known"),
        ({"duration_minutes": 4}, "appointment_duration_sensible"),
        ({"duration_minutes": 30}, "appointment_ends_after_its_duration"),
        ({"overbook_reason": "Cannot wait"}, "appointment_overbooked_whole"),
        ({"overbook_seat": 1, "overbook_day": date(2026, 1, 5)}, "appointment_overbooked_whole"),
        ({"overbook_reason": "Cannot wait", "overbook_day": date(2026, 1, 5)}, "appointment_overbooked_whole"),
        ({"status": "cancelled"}, "appointment_cancelled_whole"),
        ({"cancellation_reason": "Snow"}, "appointment_cancelled_whole"),
    ],
)
def test_half_a_truth_is_refused(visit: Appointment, changes: dict[str, Any], constraint: str) -> None:
    day = timedelta(days=1)
    times = {"scheduled_time": visit.scheduled_time + day, "ends_at": visit.ends_at + day}
    with pytest.raises(IntegrityError, match=constraint):
        insert(visit, **(times | changes))


def test_only_a_visit_that_goes_on_is_with_another_doctor_than_booked(visit: Appointment) -> None:
    handed_over = elsewhere(visit) | {"attending_doctor_id": visit.doctor_id}
    with pytest.raises(IntegrityError, match="appointment_attended_in_progress"):
        insert(visit, **handed_over)
    insert(visit, **handed_over, status="in_progress")


def test_a_seat_of_a_day_is_taken_once(visit: Appointment) -> None:
    seat = {"overbook_reason": "Cannot wait", "overbook_day": date(2026, 1, 5), "overbook_seat": 1, "room_id": None}
    insert(visit, patient_id=register_patient("Ann", "Roe").pk, **seat)
    with pytest.raises(IntegrityError, match="appointment_overbook_seat_once"):
        insert(visit, patient_id=register_patient("Bea", "Roe").pk, **seat)


def test_weeks_lengths_and_time_off_make_sense(staff: dict[str, User]) -> None:
    publish(staff["doctor"], weekdays=1)
    schedule = DoctorSchedule.objects.get()
    hours = {"schedule": schedule, "weekday": 0, "starts": time(16), "ends": time(18)}
    wrong: list[tuple[Any, str]] = [
        (lambda: WorkingHours.objects.create(**hours), "working_hours_do_not_overlap"),
        (lambda: WorkingHours.objects.create(**hours | {"weekday": 7}), "working_hours_weekday"),
        (lambda: WorkingHours.objects.create(**hours | {"weekday": 1, "ends": time(15)}), "working_hours_end_later"),
        (
            lambda: WorkingHours.objects.create(
                **hours | {"weekday": 1}, valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1)
            ),
            "working_hours_valid",
        ),
        (lambda: DoctorSchedule.objects.filter(pk=schedule.pk).update(slot_minutes=1), "schedule_slot_sensible"),
        (lambda: DoctorSchedule.objects.filter(pk=schedule.pk).update(overbook_per_day=51), "schedule_overbooking_bounded"),
        (
            lambda: AppointmentLength.objects.create(schedule=schedule, appointment_type="lab", minutes=1),
            "appointment_length_sensible",
        ),
        (lambda: TimeOff.objects.create(doctor=staff["doctor"], starts_at=at(), ends_at=at()), "time_off_ends_later"),
        (lambda: Room.objects.create(name=" "), "room_named"),
    ]
    for act, constraint in wrong:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            act()
    WorkingHours.objects.create(**hours | {"starts": time(17)})
    WorkingHours.objects.create(**hours | {"weekday": 1}, valid_until=date(2026, 1, 31))
    WorkingHours.objects.create(**hours | {"weekday": 1}, valid_from=date(2026, 2, 1))


def test_a_room_has_its_name_once_a_place(db: None) -> None:
    room("Room 1", location="Upstairs"), room("Room 1", location="Downstairs")
    with pytest.raises(IntegrityError, match="room_once"):
        room("room 1", location="UPSTAIRS")


def test_a_line_of_history_changes_something(visit: Appointment) -> None:
    with pytest.raises(IntegrityError, match="status_change_changes"):
        StatusChange.objects.create(appointment=visit, from_status="scheduled", to_status="scheduled", at=clock.now())


def test_patients_with_visits_at_one_time_are_merged_only_when_that_is_settled(staff: dict[str, User]) -> None:
    from apps.patients.services import CannotStandTogether
    from apps.patients.tests.factories import merge

    people: list[Patient] = [register_patient("Ann", "Roe"), register_patient("Anne", "Roe")]
    first = book(people[0], staff["doctor"])
    second = book(people[1], hire("dr.two", "doctor", specialty="Cardiology"))
    with pytest.raises(CannotStandTogether) as refused:
        merge(*people)
    assert refused.value.details["model"] == "appointments.Appointment"
    Appointment.objects.filter(pk=second.pk).update(status="no_show")
    merge(*people)
    assert Appointment.objects.get(pk=first.pk).patient_id == people[1].pk
