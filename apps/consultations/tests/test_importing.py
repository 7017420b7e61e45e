"""Consultations imported from another system."""

from datetime import timedelta
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import new_id
from apps.consultations import selectors, services
from apps.consultations.models import Consultation, ConsultationStatusChange, VitalAlert
from apps.consultations.services import ImportedConsultation, ImportedSave
from apps.consultations.steps.definitions import Step, Unreadable
from apps.consultations.tests.factories import booked
from apps.events.models import OutboxEvent
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def imported_visit(patient: Patient, doctor: User, **more: Any) -> ImportedConsultation:
    began = clock.now() - timedelta(days=3)
    steps: dict[Step, dict[str, Any]] = {
        Step.VITALS: {"bp": "120/80"},
        Step.SYMPTOMS: {"chief_complaint": "Back pain"},
        Step.ASSESSMENT: {"diagnoses": [{"code": "M54.50"}]},
        Step.TREATMENT_PLAN: {"plan": "Keep moving"},
    }
    names = {"M54.50": "Low back pain, unspecified"}
    saves = [
        ImportedSave(step=step, data=data, at=began + timedelta(minutes=int(step)), by_id=doctor.pk, displays=names)
        for step, data in steps.items()
    ]
    visit = {"patient_id": patient.pk, "doctor_id": doctor.pk, "started_at": began, "saves": saves, "workflow_type": "quick"}
    return ImportedConsultation(**{**visit, "ended_at": began + timedelta(minutes=15), **more})


def test_a_visit_taken_over_is_signed_stands_in_the_chart_and_comes_in_once(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    visit = imported_visit(patient, doctor, addendum="The patient was called")
    assert [services.import_records(by=SYSTEM, consultations=[visit]) for _ in range(2)] == [1, 0]
    details = selectors.details(Consultation.objects.get())
    assert (details.row.status, details.progress.missing, details.addenda[0].text) == ("amended", (), "The patient was called")
    assert details.row.content_sha256 == services.content_sha256(details.row.pk, details.saves.values())
    entries = ChartEntry.objects.filter(patient=patient, source="consultation")
    assert {(entry.type, entry.code) for entry in entries} == {
        *(("diagnosis", "M54.50"), ("vital_sign", "8480-6"), ("vital_sign", "8462-4"), ("note", "")),
    }
    assert entries.filter(type="note").count() == 2
    assert all(entry.occurred_at <= visit.ended_at for entry in entries)
    assert CareTeamMember.objects.filter(patient=patient, user=doctor, because="visit").exists()
    assert [line.to_status for line in ConsultationStatusChange.objects.all()] == ["in_progress", "completed", "amended"]
    assert OutboxEvent.objects.filter(name="consultation.completed").count() == 0
    assert OutboxEvent.objects.filter(name="consultation.taken_over").count() == 1


def test_one_that_goes_on_is_finished_here(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    visit = imported_visit(patient, doctor, status="in_progress", ended_at=None, workflow_type="adaptive")
    services.import_records(by=SYSTEM, consultations=[visit])
    assert not ChartEntry.objects.exists()
    assert services.complete(by=doctor, consultation_id=visit.id).row.status == "completed"


def test_what_cannot_be_kept_takes_nothing_over(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    wrong = ImportedSave(step=Step.VITALS, data={"bp": "80/120"}, at=clock.now(), by_id=doctor.pk)
    with pytest.raises(Unreadable):
        services.import_records(
            by=SYSTEM, consultations=[imported_visit(patient, doctor), imported_visit(patient, doctor, saves=[wrong])]
        )
    with pytest.raises(NotFound):
        services.import_records(by=SYSTEM, consultations=[imported_visit(Patient(id=new_id()), doctor)])
    assert not Consultation.objects.exists()


def test_an_imported_visit_in_progress_has_its_alert_in_the_queue_without_a_notification(staff: dict[str, User]) -> None:
    appointment = booked(register_patient(), staff["doctor"])
    appointments.start(by=SYSTEM, appointment_id=appointment.pk)
    at = clock.now()
    measured = ImportedSave(step=Step.VITALS, data={"bp": "188/122"}, at=at, by_id=staff["nurse"].pk)
    more = {"started_at": at, "saves": [measured], "status": "in_progress", "ended_at": None, "appointment_id": appointment.pk}
    services.import_records(by=SYSTEM, consultations=[imported_visit(appointment.patient, staff["doctor"], **more)])
    appointment.refresh_from_db()
    assert appointment.alert_since == at
    assert VitalAlert.objects.get().rule_id == "redflag.pressure"
    assert not OutboxEvent.objects.filter(name="consultation.alert_raised").exists()


@pytest.mark.parametrize("status", ["cancelled", "on_hold"])
def test_an_imported_visit_that_was_not_signed_ends_its_history_in_its_own_state(staff: dict[str, User], status: str) -> None:
    visit = imported_visit(register_patient(), staff["doctor"], status=status, reason="The patient left")
    services.import_records(by=SYSTEM, consultations=[visit])
    history = [(line.to_status, line.reason) for line in ConsultationStatusChange.objects.order_by("id")]
    assert history == [("in_progress", ""), (status, "The patient left")]
    assert not ChartEntry.objects.exists()
