"""How the forms of appointments name people."""

import pytest

from apps.accounts.models import User
from apps.desk.appointments.forms import DoctorField


@pytest.mark.parametrize(
    ("first_name", "last_name", "label"),
    [("Anjali", "Patel", "Dr Patel, Anjali"), ("Dr.", "Smith", "Dr Smith"), ("dr", "Smith", "Dr Smith"), ("Drew", "", "Dr Drew")],
)
def test_a_doctor_is_offered_with_the_title_once(first_name: str, last_name: str, label: str) -> None:
    shown = DoctorField().label_from_instance(User(first_name=first_name, last_name=last_name))
    assert shown.replace("\u2068", "").replace("\u2069", "") == label
