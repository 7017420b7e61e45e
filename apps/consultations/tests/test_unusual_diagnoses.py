"""A diagnosis that does not fit the patient's age or sex is saved with a warning, in the API and on the page."""

from datetime import date, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common import clock
from apps.consultations.tests.factories import fill, start_consultation
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
WARNING = "unusual_for_patient"


def assess(staff: dict[str, User], visit: Any, *codes: str) -> Any:
    body = {"step_number": 6, "step_data": {"diagnoses": [{"code": code} for code in codes]}}
    reply = api_client(staff["doctor"]).put(f"/consultations/{visit.row.pk}/step", body)
    assert reply.status_code == 200, reply.content
    return reply.json()


def test_a_delivery_of_a_man_of_56_is_saved_and_questioned(staff: dict[str, User]) -> None:
    man = register_patient(gender="male", born=date(1970, 5, 15))
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], man, "quick"), 2)
    [warning] = [one for one in assess(staff, visit, "I10", "O80")["warnings"] if one["code"] == WARNING]
    assert warning["field"] == "step_data.diagnoses[1].code"
    assert "O80 is for pregnancy, childbirth and the puerperium, but the patient is recorded as male" in warning["message"]
    again = api_client(staff["doctor"]).get(f"/consultations/{visit.row.pk}").json()
    assert [one["code"] for one in again["warnings"]] == [WARNING]
    assert "warnings" not in assess(staff, visit, "I10")


def test_a_diagnosis_that_fits_warns_of_nothing(staff: dict[str, User]) -> None:
    woman = register_patient(gender="female", born=date(1995, 5, 15))
    assert "warnings" not in assess(staff, start_consultation(staff["doctor"], woman, "quick"), "O80")


def test_the_age_of_an_infant_is_shown_as_on_the_banner(staff: dict[str, User]) -> None:
    infant = register_patient(gender="female", born=clock.today() - timedelta(days=42))
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], infant, "quick"), 2)
    [warning] = assess(staff, visit, "O80")["warnings"]
    assert "but the patient is 6 weeks old" in warning["message"]
