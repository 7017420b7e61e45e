"""Names and births on the patient's pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.common import clock
from apps.desk.patients.tests.test_admin import change, entry_page
from apps.patients import services
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import register_patient
from apps.patients.tests.test_identity import CLINIC, noon, pages, receptionist_api, registered

__all__ = ["noon", "pages", "receptionist_api"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sent", "stored"), [("Na\nme\tX", "Na me X"), ("a\u202eb", "ab"), ("Jose\u0301", "José"), ("Ann\u200b", "Ann")]
)
def test_a_name_is_stored_without_invisible_characters(receptionist_api: Any, pages: Client, sent: str, stored: str) -> None:
    places = {"first_name": sent, "last_name": "Doe", "emergency_contact": {"name": sent}, "insurance": {"provider": sent}}
    patient = registered(receptionist_api, **places, address={"street": sent, "country": sent})
    assert patient["demographics"]["first_name"] == patient["emergency_contact"]["name"] == stored
    assert patient["insurance"]["provider"] == patient["contact"]["address"]["street"] == stored
    row = Patient.objects.get(pk=patient["id"])
    changed = change(pages, row, first_name=f"x{sent}", emergency_name=f"x{sent}")
    assert changed.status_code == 302
    row.refresh_from_db()
    assert row.first_name == row.emergency_name == f"x{stored}"


@pytest.mark.parametrize(
    ("typed", "born", "precision"),
    [
        ({"date_of_birth": "3/4/45"}, "1945-03-04", "day"),
        ({"date_of_birth": "Mar 4, 1945"}, "1945-03-04", "day"),
        ({"date_of_birth": "19450304"}, "1945-03-04", "day"),
        ({"date_of_birth": "1945-03"}, "1945-03-01", "month"),
        ({"date_of_birth": "1945"}, "1945-01-01", "year"),
        ({"date_of_birth": "about 1945"}, "1945-01-01", "estimated"),
        ({"date_of_birth": "", "age": "81"}, "1945-01-01", "estimated"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("noon")
def test_the_form_reads_a_birth_as_the_search_does(pages: Client, typed: dict[str, str], born: str, precision: str) -> None:
    answers = {"first_name": "Jane", "last_name": "Doe", "gender": "female", "deceased_at_0": "", "deceased_at_1": ""} | typed
    response = pages.post(reverse("admin:patients_patient_add"), answers)
    assert response.status_code == 302, response.context["adminform"].form.errors
    patient = Patient.objects.get(last_name="Doe")
    assert (str(patient.date_of_birth), patient.date_of_birth_precision) == (born, precision)
    assert change(pages, patient, city="Oakland").status_code == 302
    patient.refresh_from_db()
    assert (patient.city, str(patient.date_of_birth), patient.date_of_birth_precision) == ("Oakland", born, precision)


def test_where_the_day_comes_first_the_form_reads_it_first(pages: Client, settings: Any) -> None:
    settings.CLINIC_COUNTRY = "KE"
    patient = register_patient()
    assert change(pages, patient, date_of_birth="3/4/45").status_code == 302
    patient.refresh_from_db()
    assert str(patient.date_of_birth) == "1945-04-03"


@pytest.mark.parametrize(("country", "died"), [("KE", "2026-04-03"), ("US", "2026-03-04")])
@pytest.mark.usefixtures("noon")
def test_a_death_is_read_in_the_same_order_as_the_birth_next_to_it(pages: Client, settings: Any, country: str, died: str) -> None:
    settings.CLINIC_COUNTRY = country
    patient = register_patient()
    for typed in ("3/4/2026", "3/4/26"):
        assert change(pages, patient, deceased_at_0=typed, deceased_at_1="12:00").status_code == 302
        patient.refresh_from_db()
        assert str(patient.deceased_at.astimezone(CLINIC).date()) == died  # type: ignore[union-attr]
        services.amend(by=SYSTEM, patient_id=patient.pk, changes={"deceased_at": None})
        patient.refresh_from_db()


def test_an_address_has_a_country_where_one_is_known(receptionist_api: Any, pages: Client) -> None:
    patient = registered(receptionist_api, address={"city": "Nairobi", "country": "KE"})
    assert patient["contact"]["address"]["country"] == "KE"
    assert "country" not in registered(receptionist_api, first_name="Other", address={"city": "Nairobi"})["contact"]["address"]
    row = Patient.objects.get(pk=patient["id"])
    assert change(pages, row, country="Uganda").status_code == 302
    row.refresh_from_db()
    assert row.country == "Uganda"


def test_an_e_mail_address_may_be_in_any_script(receptionist_api: Any, pages: Client, staff: dict[str, User]) -> None:
    patient = registered(receptionist_api, email="josé@example.com")
    assert patient["contact"]["email"] == "josé@example.com"
    row = Patient.objects.get(pk=patient["id"])
    assert change(pages, row, email="用户@example.com").status_code == 302
    assert change(pages, row, email="jo\u202esé@example.com").status_code == 200
    body = {"username": "jose", "email": "josé@hims.test", "first_name": "José", "last_name": "Lópes", "role": "nurse"}
    assert api_client(staff["admin"]).post("/users", body).status_code == 201


@pytest.mark.parametrize(
    ("typed", "on"),
    [(("2015", ""), "2015"), (("2015-06", ""), "2015-06"), (("6/10/15", ""), "2015-06-10"), (("2015-06-10", "08:00"), "")],
)
def test_the_form_takes_the_date_of_an_entry_as_exactly_as_it_is_known(
    staff: dict[str, User], typed: tuple[str, str], on: str
) -> None:
    patient = register_patient()
    answers = {"display": "Asthma", "status": "active", "occurred_at_0": typed[0], "occurred_at_1": typed[1]}
    response = browser(staff["doctor"]).post(entry_page(patient, "diagnosis"), answers | {"ended_at_0": "", "ended_at_1": ""})
    assert response.status_code == 302, response.context["adminform"].form.errors
    entry = ChartEntry.objects.get()
    assert entry.occurred_on == on
    assert entry.occurred_at < clock.now() - timedelta(days=365)


def test_a_time_without_a_whole_date_is_refused_at_the_field(staff: dict[str, User]) -> None:
    answers = {"display": "Asthma", "status": "active", "occurred_at_0": "2015", "occurred_at_1": "08:00"}
    response = browser(staff["doctor"]).post(
        entry_page(register_patient(), "diagnosis"), answers | {"ended_at_0": "", "ended_at_1": ""}
    )
    assert "occurred_at" in response.context["adminform"].form.errors
