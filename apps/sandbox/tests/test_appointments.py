"""The fortnight of the toy hospital."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from apps.access.actor import SYSTEM
from apps.appointments import rules, selectors
from apps.appointments.models import Appointment, BulkReschedule, RescheduledAppointment, Room, StatusChange
from apps.appointments.services import ImportedAppointment
from apps.common import clinic_times, clock
from apps.sandbox.samples import appointments
from apps.sandbox.samples.appointments import PatientPool
from apps.sandbox.samples.sample_ids import SAMPLE_IDS
from apps.sandbox.samples.staff import ID_OF
from apps.sandbox.services import SeedResult

ADULTS, CHILDREN = ([UUID(int=1000 * group + number) for number in range(60)] for group in (1, 2))
PEOPLE = PatientPool(adults=ADULTS, children=CHILDREN)
MOMENTS = [
    datetime(2026, 11, 23, 18, 40, tzinfo=UTC),  # Monday morning at the clinic
    datetime(2026, 11, 22, 5, 3, tzinfo=UTC),  # Saturday night
    datetime(2026, 3, 8, 17, 0, tzinfo=UTC),  # the Sunday the clocks go forward
    datetime(2026, 11, 1, 8, 59, tzinfo=UTC),  # the Sunday they go back, in the hour that comes twice
    datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
]


@pytest.mark.parametrize("now", MOMENTS)
def test_at_any_moment_the_fortnight_has_visits_in_every_state(now: datetime) -> None:
    visits = appointments.sample_appointments(now, PEOPLE)
    assert {visit.steps[-1].status for visit in visits} == {status.value for status in rules.Status} - {"confirmed"} | {
        "confirmed"
    }
    assert len(visits) > 150
    going_on = [visit for visit in visits if visit.steps[-1].status == "in_progress"]
    assert {visit.doctor_id for visit in going_on} == {ID_OF[doctor] for doctor in appointments.DOCTORS}
    assert all(visit.scheduled_time < now for visit in going_on)


@pytest.mark.parametrize("now", MOMENTS)
def test_what_each_visit_went_through_was_allowed_and_has_happened(now: datetime) -> None:
    for visit in appointments.sample_appointments(now, PEOPLE):
        assert all(rules.LIFECYCLE.may_follow(one.status, other.status) for one, other in pairwise(visit.steps))
        assert all(one.at <= other.at for one, other in pairwise(visit.steps))
        assert visit.steps[-1].at <= now
        if visit.steps[-1].status in ("completed", "no_show"):
            assert visit.scheduled_time < now


def of_today(now: datetime, visits: list[ImportedAppointment]) -> list[ImportedAppointment]:
    return [visit for visit in visits if clinic_times.local(visit.scheduled_time).date() == clinic_times.local(now).date()]


@pytest.mark.parametrize("day", range(7))
def test_today_is_a_busy_day_on_each_day_of_the_week(day: int) -> None:
    now = datetime(2026, 11, 23, 19, 12, tzinfo=UTC) + timedelta(days=day)  # twelve past eleven at the clinic
    today = of_today(now, appointments.sample_appointments(now, PEOPLE))
    assert 30 <= len(today) <= 50
    states = Counter(visit.steps[-1].status for visit in today)
    assert set(states) >= {"completed", "no_show", "in_progress", "checked_in", "confirmed", "scheduled", "requested"}
    assert (states["in_progress"], states["checked_in"]) == (3, 6)
    waits = sorted(
        (now - visit.steps[-1].at) // timedelta(minutes=1) for visit in today if visit.steps[-1].status == "checked_in"
    )
    assert waits == [5, 7, 12, 17, 24, 31]
    assert {visit.doctor_id for visit in today} == {ID_OF[doctor] for doctor in appointments.DOCTORS}


@pytest.mark.parametrize("now", MOMENTS)
def test_a_patient_has_one_appointment_a_day_and_a_doctor_one_patient_at_a_time(now: datetime) -> None:
    visits = appointments.sample_appointments(now, PEOPLE)
    days = Counter((visit.patient_id, clinic_times.local(visit.scheduled_time).date()) for visit in visits)
    assert max(days.values()) == 1
    by_doctor = sorted(visits, key=lambda visit: (visit.doctor_id, visit.scheduled_time))
    for one, other in pairwise(by_doctor):
        end = one.scheduled_time + timedelta(minutes=one.duration_minutes)
        assert one.doctor_id != other.doctor_id or end <= other.scheduled_time


@pytest.mark.parametrize("now", [*MOMENTS, datetime(2026, 11, 23, 12, 37, tzinfo=UTC)])  # the last at 4:37 at night
def test_the_desk_works_in_office_hours_and_appointments_are_in_those_of_the_doctors(now: datetime) -> None:
    of_now = {"checked_in", "in_progress"}  # out of hours these are emergencies
    for visit in appointments.sample_appointments(now, PEOPLE):
        for step in visit.steps:
            if step.status in ("requested", "scheduled", "confirmed", "cancelled"):
                assert 8 <= clinic_times.local(step.at).hour < 18, step
        if visit.steps[-1].status not in of_now:
            assert 9 <= clinic_times.local(visit.scheduled_time).hour < 17, visit


def test_the_same_day_gives_the_same_fortnight_and_another_another() -> None:
    first, again = (appointments.sample_appointments(MOMENTS[0], PEOPLE) for _ in range(2))
    assert first == again
    assert appointments.sample_appointments(MOMENTS[0] + timedelta(days=1), PEOPLE) != first


def test_children_see_the_pediatrician() -> None:
    for visit in appointments.sample_appointments(MOMENTS[0], PEOPLE):
        if visit.patient_id not in SAMPLE_IDS.values():
            assert (visit.patient_id in CHILDREN) == (visit.doctor_id == ID_OF["dr.lee"])


@pytest.mark.django_db
def test_the_schedule_is_shown_with_the_sample_data(hospital: SeedResult) -> None:
    assert hospital.appointments == Appointment.objects.count()
    counts = Counter(Appointment.objects.values_list("status", flat=True))
    assert set(counts) >= {"scheduled", "confirmed", "checked_in", "in_progress", "completed", "cancelled"}
    assert Room.objects.count() == len(appointments.ROOMS)
    for row in Appointment.objects.all():
        last = StatusChange.objects.filter(appointment=row).last()
        assert last is not None
        assert last.to_status == row.status
    now = clock.now()
    free = selectors.free_slots(SYSTEM, SAMPLE_IDS["doctor_001"], start=now, end=now + timedelta(days=14))
    assert len(free) > 50
    assert Appointment.objects.filter(patient=SAMPLE_IDS["patient_001"]).count() == 2
    weekly = Appointment.objects.filter(series__isnull=False).order_by("scheduled_time")
    assert len(weekly) >= 3  # the first may find its time taken
    assert {(row.doctor_id, row.status) for row in weekly} == {(ID_OF["dr.smith"], "scheduled")}
    move = BulkReschedule.objects.get()
    assert RescheduledAppointment.objects.filter(move=move).exists()
    assert not selectors.still_movable(SYSTEM, move).exists()
    assert appointments.create_samples(SYSTEM) == 0
