"""Possible duplicates on the page of registration."""

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.desk.patients.tests.test_admin import sendable
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def test_the_page_points_out_a_patient_who_is_edited_into_another(staff: dict[str, User]) -> None:
    register_patient(mrn="OLD-1")
    other, client = register_patient("Peter", "Doe"), browser(staff["receptionist"])
    address = reverse("admin:patients_patient_change", args=[other.pk])
    form = client.get(address).context["adminform"].form
    reply = client.post(address, sendable(form) | {"first_name": "John"}, follow=True)
    assert "This may be the same person as Doe, John (OLD-1)" in reply.content.decode()
