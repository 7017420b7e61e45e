"""A death on the patient's page."""

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.desk.patients.tests.test_admin import change
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient
from apps.patients.tests.test_deaths import BORN

pytestmark = pytest.mark.django_db


def test_the_admin_page_refuses_an_impossible_death_at_the_field(staff: dict[str, User]) -> None:
    patient = register_patient(born=BORN)
    receptionist_api = browser(staff["receptionist"])
    reply = change(receptionist_api, patient, deceased_at_0="1970-01-01", deceased_at_1="12:00:00")
    assert reply.status_code == 200
    assert "deceased_at" in reply.context["adminform"].form.errors
    assert Patient.objects.get().deceased_at is None
