"""Who leaves a care team when a visit is cancelled, and whom the migration removed that put care teams under the rule."""

from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import hire
from apps.appointments import services as diary
from apps.appointments.models import Appointment
from apps.appointments.services import NewAppointment
from apps.appointments.tests.factories import at
from apps.consultations import services
from apps.consultations.tests.factories import start_consultation
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

MIGRATION = import_module("apps.consultations.migrations.0005_care_teams_by_the_rule")


@pytest.fixture
def colleague(staff: dict[str, User]) -> User:
    return hire("dr.two", "doctor", specialty="Any")


def team(patient: Patient) -> set[Any]:
    return set(CareTeamMember.objects.filter(patient=patient).values_list("user_id", flat=True))


def test_the_doctor_of_a_cancelled_visit_leaves_the_team(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    first = start_consultation(doctor, patient)
    second = start_consultation(doctor, patient)
    services.cancel(by=doctor, consultation_id=first.row.pk)
    assert team(patient) == {doctor.pk}
    services.cancel(by=doctor, consultation_id=second.row.pk)
    assert team(patient) == set()


def test_both_doctors_of_a_visit_that_was_handed_over_leave_when_it_is_cancelled(staff: dict[str, User], colleague: User) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    visit = start_consultation(doctor, patient)
    services.hand_over(by=doctor, consultation_id=visit.row.pk, doctor_id=colleague.pk)
    assert team(patient) == {doctor.pk, colleague.pk}
    services.cancel(by=colleague, consultation_id=visit.row.pk)
    assert team(patient) == set()


def booked(by: Any, patient: Patient, doctor: User, clock_time: str) -> Appointment:
    visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=at(clock_time))
    return diary.book(by=by, new=visit).appointment


def test_the_migration_removes_members_whom_only_an_appointment_outside_the_rule_added(
    staff: dict[str, User], colleague: User
) -> None:
    doctor, nurse = staff["doctor"], staff["nurse"]
    kept, cancelled, by_nurse, seen, by_member = (
        register_patient(first, "Roe") for first in ("Ann", "Ben", "Cleo", "Dora", "Eve")
    )
    booked(staff["receptionist"], kept, doctor, "09:00")
    gone = booked(doctor, cancelled, doctor, "10:00")  # under emergency access
    diary.cancel(by=doctor, appointment_id=gone.pk)
    booked(nurse, by_nurse, doctor, "11:00")
    start_consultation(doctor, seen)
    booked(SYSTEM, by_member, colleague, "12:00")
    booked(colleague, by_member, doctor, "13:00")
    people = (kept, cancelled, by_nurse, seen, by_member)
    CareTeamMember.objects.all().delete()  # as it was before: each booking added its doctor, for good
    Appointment.objects.update(joins_care_team=False)
    CareTeamMember.objects.bulk_create(CareTeamMember(patient=one, user=doctor, because="visit") for one in people)
    CareTeamMember.objects.create(patient=by_member, user=colleague, because="visit")
    CareTeamMember.objects.create(patient=cancelled, user=nurse, because="named")
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.COUNT)
    assert [team(one) for one in people] == [{doctor.pk}, {nurse.pk}, set(), {doctor.pk}, {doctor.pk, colleague.pk}]
