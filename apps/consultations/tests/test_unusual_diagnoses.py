"""A diagnosis that does not fit the patient's age or sex is saved with a warning, in the API and on the page."""

from datetime import date, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import browser, caller
from apps.common import clock
from apps.consultations.tests.factories import fill, visit_of
from apps.consultations.tests.test_admin import fill_in, page
from apps.patients.tests.factories import admit

pytestmark = pytest.mark.django_db
WARNING = "unusual_for_patient"


def assess(ward: dict[str, User], visit: Any, *codes: str) -> Any:
    body = {"step_number": 6, "step_data": {"diagnoses": [{"code": code} for code in codes]}}
    reply = caller(ward["doctor"]).put(f"/consultations/{visit.row.pk}/step", body)
    assert reply.status_code == 200, reply.content
    return reply.json()


def test_a_delivery_of_a_man_of_56_is_saved_and_questioned(ward: dict[str, User]) -> None:
    man = admit(gender="male", born=date(1970, 5, 15))
    visit = fill(ward["doctor"], visit_of(ward["doctor"], man, "quick"), 2)
    [warning] = [one for one in assess(ward, visit, "I10", "O80")["warnings"] if one["code"] == WARNING]
    assert warning["field"] == "step_data.diagnoses[1].code"
    assert "O80 is for pregnancy, childbirth and the puerperium, but the patient is recorded as male" in warning["message"]
    again = caller(ward["doctor"]).get(f"/consultations/{visit.row.pk}").json()
    assert [one["code"] for one in again["warnings"]] == [WARNING]
    assert "warnings" not in assess(ward, visit, "I10")


def test_a_diagnosis_that_fits_warns_of_nothing(ward: dict[str, User]) -> None:
    woman = admit(gender="female", born=date(1995, 5, 15))
    assert "warnings" not in assess(ward, visit_of(ward["doctor"], woman, "quick"), "O80")


def test_the_page_says_so_when_it_is_saved_and_where_it_is_shown(ward: dict[str, User]) -> None:
    man = admit(gender="male", born=date(1970, 5, 15))
    visit = fill(ward["doctor"], visit_of(ward["doctor"], man, "quick"), 2)
    client, step = browser(ward["doctor"]), page("step", visit, 6)
    saved = fill_in(client, step, diagnoses_0_code="O80")
    assert saved.status_code == 302
    shown = client.get(step).content.decode()
    assert shown.count("O80 is for pregnancy, childbirth and the puerperium") == 2


def test_the_age_of_an_infant_is_told_as_the_banner_tells_it(ward: dict[str, User]) -> None:
    infant = admit(gender="female", born=clock.today() - timedelta(days=42))
    visit = fill(ward["doctor"], visit_of(ward["doctor"], infant, "quick"), 2)
    [warning] = assess(ward, visit, "O80")["warnings"]
    assert "but the patient is 6 weeks old" in warning["message"]
