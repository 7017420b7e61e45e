"""An unusual diagnosis on the page of the step."""

from datetime import date

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.consultations.tests.factories import fill, start_consultation
from apps.desk.consultations.tests.test_admin import fill_in, page
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def test_the_page_says_so_when_it_is_saved_and_where_it_is_shown(staff: dict[str, User]) -> None:
    man = register_patient(gender="male", born=date(1970, 5, 15))
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], man, "quick"), 2)
    client, step = browser(staff["doctor"]), page("step", visit, 6)
    saved = fill_in(client, step, diagnoses_0_code="O80")
    assert saved.status_code == 302
    shown = client.get(step).content.decode()
    assert shown.count("O80 is for pregnancy, childbirth and the puerperium") == 2
