"""The pages of the catalogue."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.prescriptions.catalogue.services import keeping
from apps.prescriptions.catalogue.services.keeping import NewDrug
from apps.prescriptions.models import Drug
from apps.prescriptions.tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/prescriptions/drug/"


@pytest.fixture
def pharmacist(staff: dict[str, User]) -> Client:
    factories.catalogue()
    return browser(staff["pharmacist"])


def _names(client: Client, **query: str) -> list[str]:
    return [row.name for row in client.get(LIST, query).context["cl"].result_list]


def test_the_desk_searches_drugs_as_the_api_does(pharmacist: Client) -> None:
    assert _names(pharmacist, q="amox 500") == ["amoxicillin 500 mg capsule"]
    assert _names(pharmacist, q="hydroxizine") == ["hydrOXYzine 25 mg tablet"]
    assert _names(pharmacist, q="met")[0] == "metFORMIN 500 mg tablet"


def test_drugs_that_are_not_offered_have_a_list_of_their_own(pharmacist: Client) -> None:
    assert "simvastatin 10 mg" not in _names(pharmacist)
    assert _names(pharmacist, offered="no") == ["simvastatin 10 mg"]


def test_the_pharmacist_adds_a_medicine(pharmacist: Client) -> None:
    sent = {
        "rxnorm_name": "Ramipril 5 MG Oral Capsule",
        "rxcui": "",
        "brand_names": "Altace",
        "schedule": "",
        "use": "blood pressure",
    }

    assert pharmacist.post(f"{LIST}add/", sent).status_code == 302

    row = Drug.objects.get(generic_name="ramipril")
    assert (row.name, row.brand_names, row.route) == ("ramipril 5 mg capsule", ["Altace"], "oral")


def test_a_name_without_a_form_is_refused_and_keeps_what_was_typed(pharmacist: Client) -> None:
    shown = pharmacist.post(f"{LIST}add/", {"rxnorm_name": "Ramipril 5 MG", "brand_names": "Altace"}).content.decode()

    assert "End the name with the dose form" in shown
    assert "Altace" in shown


def test_a_medicine_shows_what_is_in_it_and_only_the_pharmacy_changes_it(pharmacist: Client, staff: dict[str, User]) -> None:
    row = Drug.objects.get(generic_name="amoxicillin/clavulanate")
    page = reverse("admin:prescriptions_drug_change", args=[row.pk])

    assert "amoxicillin, clavulanate" in pharmacist.get(page).content.decode()
    shown = browser(staff["doctor"]).get(page).content.decode()
    assert "amoxicillin, clavulanate" in shown
    assert 'name="use"' not in shown


def test_a_medicine_without_ingredients_says_that_it_cannot_be_checked(pharmacist: Client) -> None:
    (row,) = keeping.store([NewDrug(name="Ortho Tri-Cyclen 28 Day Pack", source="test")])

    shown = pharmacist.get(reverse("admin:prescriptions_drug_change", args=[row.pk])).content.decode()

    assert (row.name, row.is_offered) == ("Ortho Tri-Cyclen 28 Day Pack", False)
    assert "the safety checks cannot check this drug" in shown


def test_the_statements_of_the_list_do_not_grow(pharmacist: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        pharmacist.get(LIST, {"q": "lisinopril"})
    with CaptureQueriesContext(connection) as many:
        pharmacist.get(LIST, {"q": "tablet"})

    assert len(many) == len(few)
