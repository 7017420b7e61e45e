"""Which doctors leave a care team when a consultation is cancelled."""

from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import hire
from apps.appointments import services as appointments
from apps.appointments.models import Appointment
from apps.appointments.services import NewAppointment
from apps.appointments.tests.factories import at
from apps.consultations import services
from apps.consultations.tests.factories import start_consultation
from apps.patients import selectors as patient_selectors
from apps.patients import services as patients
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db


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


def test_a_visit_of_merged_records_puts_its_doctors_on_the_team_of_the_record_that_gets_it(
    staff: dict[str, User], colleague: User
) -> None:
    retired, survivor, doctor = register_patient(), register_patient(), staff["doctor"]
    start_consultation(doctor, retired)
    done = merge(retired, survivor)
    fresh = start_consultation(doctor, survivor)
    services.hand_over(by=doctor, consultation_id=fresh.row.pk, doctor_id=colleague.pk)
    patients.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (team(retired), team(survivor)) == ({doctor.pk}, {doctor.pk, colleague.pk})
    row = patient_selectors.triage(done).get(row_id=str(fresh.row.pk))
    patients.settle_triage(by=SYSTEM, triage_id=row.pk, belongs_to="retired")
    assert (team(retired), team(survivor)) == ({doctor.pk, colleague.pk}, set())


def test_an_undone_merge_returns_no_doctor_that_a_new_team_removed(staff: dict[str, User]) -> None:
    retired, survivor, doctor = register_patient(), register_patient(), staff["doctor"]
    start_consultation(doctor, survivor)
    done = merge(retired, survivor)
    restrict(survivor, staff["nurse"])
    restrict(survivor, staff["nurse"])
    patients.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (team(retired), team(survivor)) == ({staff["nurse"].pk}, {staff["nurse"].pk})


def booked(by: Any, patient: Patient, doctor: User, clock_time: str) -> Appointment:
    visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=at(clock_time))
    return appointments.book(by=by, new=visit).appointment
