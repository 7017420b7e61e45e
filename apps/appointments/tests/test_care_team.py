"""An appointment makes its doctor a member of the care team while it counts, if the user who booked it may add to the team."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.scheduling.recurrence import Rhythm
from apps.appointments.services import DoctorAbsence, NewAppointment, NewSeries
from apps.appointments.tests.factories import at, book, publish
from apps.common import clock
from apps.events.models import OutboxEvent
from apps.patients import selectors as patient_selectors
from apps.patients import services as patients
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db

REASON = "Unconscious in the waiting room"


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


def team(patient: Patient) -> set[Any]:
    return set(CareTeamMember.objects.filter(patient=patient).values_list("user_id", flat=True))


def booked_by(who: User, patient: Patient, doctor: User, clock_time: str = "10:00") -> Appointment:
    visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=at(clock_time))
    return services.book(by=who, new=visit).appointment


def test_emergency_access_does_not_become_permanent(staff: dict[str, User], doctor: User) -> None:
    patient = register_patient()
    restrict(patient, staff["nurse"])
    who, path = api_client(doctor), f"/patients/{patient.pk}"
    assert who.get(path).status_code == 404
    assert who.post("/patients/break-glass", {"mrn": patient.mrn, "reason": REASON}).status_code == 200
    body = {"patient_id": str(patient.pk), "scheduled_time": at().isoformat()}
    row = who.post("/appointments", body).json()["data"]["appointment"]
    other = who.post("/appointments", body | {"scheduled_time": at("12:00").isoformat()})
    assert other.status_code == 201  # and it stays booked
    assert who.post(f"/appointments/{row['id']}/cancel").status_code == 200
    assert team(patient) == {staff["nurse"].pk}
    with time_machine.travel(clock.now() + timedelta(hours=4, minutes=1), tick=True):
        assert api_client(doctor).get(path).status_code == 404


@pytest.mark.parametrize("role", ["receptionist", "admin"])
def test_reception_and_administrators_add_the_doctor(staff: dict[str, User], doctor: User, role: str) -> None:
    patient = register_patient()
    booked_by(staff[role], patient, doctor)
    assert team(patient) == {doctor.pk}


def test_a_nurse_adds_the_doctor_only_as_a_member_of_the_team(staff: dict[str, User], doctor: User) -> None:
    patient = register_patient()
    booked_by(staff["nurse"], patient, doctor)
    assert team(patient) == set()
    restrict(patient, staff["nurse"])
    booked_by(staff["nurse"], patient, doctor, "11:00")
    assert team(patient) == {staff["nurse"].pk, doctor.pk}


def test_a_doctor_outside_the_team_does_not_add_themselves(doctor: User) -> None:
    patient = register_patient()
    booked_by(doctor, patient, doctor)
    assert team(patient) == set()


@pytest.mark.parametrize("end", ["cancel", "no_show"])
def test_the_doctor_leaves_with_the_last_appointment_that_counts(staff: dict[str, User], doctor: User, end: str) -> None:
    patient = register_patient()
    first, last = book(patient, doctor), book(patient, doctor, at("11:00"))
    with time_machine.travel(at("12:00"), tick=False):
        getattr(services, end)(by=SYSTEM, appointment_id=first.pk)
        assert team(patient) == {doctor.pk}
        getattr(services, end)(by=SYSTEM, appointment_id=last.pk)
        assert team(patient) == set()
        assert OutboxEvent.objects.filter(name="patient.care_team_left").count() == 1
        if end == "no_show":  # and is back when the patient comes after all
            services.check_in(by=SYSTEM, appointment_id=last.pk)
            assert team(patient) == {doctor.pk}


def test_a_completed_appointment_counts_for_good(doctor: User) -> None:
    patient = register_patient()
    row = book(patient, doctor)
    services.start(by=SYSTEM, appointment_id=row.pk, early=True)
    services.complete(by=SYSTEM, appointment_id=row.pk)
    assert team(patient) == {doctor.pk}


def test_another_doctor_takes_the_place_on_the_team(staff: dict[str, User], doctor: User) -> None:
    patient, other = register_patient(), hire("dr.two", "doctor", specialty="Any")
    publish(other)
    row = book(patient, doctor)
    services.change(by=staff["receptionist"], appointment_id=row.pk, changes={"doctor_id": other.pk})
    assert team(patient) == {other.pk}
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"doctor_id": doctor.pk})
    assert team(patient) == set()  # named by a nurse outside the team


def test_a_bulk_reschedule_and_its_undo_carry_the_membership(staff: dict[str, User], doctor: User) -> None:
    patient, other = register_patient(), hire("dr.two", "doctor", specialty="Any")
    publish(other)
    book(patient, doctor)
    absence = DoctorAbsence(doctor_id=doctor.pk, starts_at=at("00:00"), ends_at=at("23:59"), to_doctor_id=other.pk)
    move = services.bulk_reschedule(by=staff["receptionist"], absence=absence, reason="Ill").move
    assert team(patient) == {other.pk}
    services.undo_bulk_reschedule(by=staff["receptionist"], move_id=move.pk)
    assert team(patient) == {doctor.pk}


def test_a_series_adds_and_its_cancellation_removes(staff: dict[str, User], doctor: User) -> None:
    patient = register_patient()
    visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=at())
    done = services.book_series(by=staff["receptionist"], new=NewSeries(first=visit, rhythm=Rhythm(count=3)))
    assert team(patient) == {doctor.pk}
    services.cancel_rest(by=staff["receptionist"], series_id=done.series.pk)
    assert team(patient) == set()


def test_a_request_adds_the_doctor_once_it_is_granted(staff: dict[str, User], doctor: User) -> None:
    patient = register_patient()
    row = book(patient, doctor, status="requested")
    assert team(patient) == set()
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"status": "scheduled"})
    assert team(patient) == {doctor.pk}


def test_an_undone_merge_leaves_no_doctor_of_a_cancelled_appointment_on_the_team(doctor: User) -> None:
    retired, survivor = register_patient("Ann", "Roe"), register_patient("Ann", "Roe")
    row = book(retired, doctor)
    done = merge(retired, survivor)
    assert team(survivor) == {doctor.pk}
    services.cancel(by=SYSTEM, appointment_id=row.pk)
    assert team(survivor) == set()
    patients.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (team(retired), team(survivor)) == (set(), set())


def test_an_undone_merge_gives_each_record_the_doctors_of_its_appointments(doctor: User) -> None:
    other = hire("dr.two", "doctor", specialty="Any")
    publish(other)
    retired, survivor = register_patient("Ann", "Roe"), register_patient("Ann", "Roe")
    row = book(retired, doctor)
    done = merge(retired, survivor)
    services.change(by=SYSTEM, appointment_id=row.pk, changes={"doctor_id": other.pk})
    fresh = book(survivor, doctor, at("11:00"))
    patients.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (team(retired), team(survivor)) == ({other.pk}, {doctor.pk})
    (waiting,) = patient_selectors.triage(done)
    assert waiting.row_id == str(fresh.pk)
    patients.settle_triage(by=SYSTEM, triage_id=waiting.pk, belongs_to="retired")
    assert (team(retired), team(survivor)) == ({other.pk, doctor.pk}, set())


def test_a_new_team_of_a_restricted_chart_removes_everyone_it_does_not_name(staff: dict[str, User], doctor: User) -> None:
    patient, admin = register_patient(), api_client(staff["admin"])
    book(patient, doctor)
    restrict(patient, staff["nurse"])
    assert team(patient) == {doctor.pk, staff["nurse"].pk}
    body = {"restricted": True, "care_team": [str(staff["pharmacist"].pk)], "reason": "The patient asked for it"}
    assert admin.call("PUT", f"/patients/{patient.pk}/restricted", body).status_code == 200
    assert team(patient) == {staff["pharmacist"].pk}
    assert api_client(doctor).get(f"/patients/{patient.pk}").status_code == 404
