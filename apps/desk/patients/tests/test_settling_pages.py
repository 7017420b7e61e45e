"""Contradictory allergies on the pages of the chart."""

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.desk.patients.tests.test_admin import sendable
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db


def test_the_page_says_that_an_allergy_is_in_the_chart_already(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), browser(staff["doctor"])
    chart(patient, "allergy", "Penicillin")
    address = f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type=allergy"
    form = sendable(doctor.get(address).context["adminform"].form)
    reply = doctor.post(address, form | {"display": "penicillin"}, follow=True)
    assert "The record already has this as active (Penicillin, " in reply.content.decode()


def test_a_diagnosis_that_does_not_fit_the_patient_is_questioned_in_the_chart_too(staff: dict[str, User]) -> None:
    man, doctor = register_patient(gender="male"), api_client(staff["doctor"])
    body = {"type": "diagnosis", "code_system": "ICD-10-CM", "code": "o80", "display": "Delivery"}
    reply = doctor.post(f"/patients/{man.pk}/medical-history", body)
    (warning,) = reply.json()["warnings"]
    assert (reply.status_code, warning["code"], warning["field"]) == (201, "unusual_for_patient", "code")
    assert "O80 is for pregnancy, childbirth and the puerperium, but the patient is recorded as male" in warning["message"]
    fits = doctor.post(f"/patients/{man.pk}/medical-history", body | {"code": "I10", "display": "Hypertension"})
    assert (fits.status_code, fits.json().get("warnings", [])) == (201, [])
    client = browser(staff["doctor"])
    page = f"{reverse('admin:patients_chartentry_add')}?patient={man.pk}&type=diagnosis"
    answers = sendable(client.get(page).context["adminform"].form) | {
        "display": "Delivery",
        "code_system": "ICD-10-CM",
        "code": "O80",
    }
    assert "but the patient is recorded as male" in client.post(page, answers, follow=True).content.decode()
