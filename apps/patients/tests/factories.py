"""Patients and chart entries for tests."""

from datetime import date
from typing import Any

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.patients import services
from apps.patients.confidentiality.models import Restriction
from apps.patients.models import ChartEntry, Merge, Patient
from apps.patients.services import NewEntry, Registration


def register_patient(first_name: str = "John", last_name: str = "Doe", born: date = date(1980, 5, 15), **details: Any) -> Patient:
    """Register a patient."""
    registration = Registration(
        first_name=first_name, last_name=last_name, date_of_birth=born, gender=details.pop("gender", "male"), **details
    )
    return services.register(by=SYSTEM, registration=registration).patient


def chart(patient: Patient, entry_type: str = "diagnosis", display: str = "Essential hypertension", **details: Any) -> ChartEntry:
    """Write a chart entry."""
    return services.record(by=SYSTEM, patient_id=patient.pk, entry=NewEntry(type=entry_type, display=display, **details))


def merge(retired: Patient, survivor: Patient, **fields: str) -> Merge:
    """Merges two records. `fields` determines which value stays."""
    return services.merge(by=SYSTEM, retired_id=retired.pk, survivor_id=survivor.pk, reason="The same passport", fields=fields)


def restrict(patient: Patient, *team: User) -> Restriction:
    """Close a chart to all but these."""
    people = [user.pk for user in team]
    return services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=people, reason="A colleague of ours")
