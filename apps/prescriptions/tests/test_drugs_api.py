"""The catalogue over the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClient, api_client
from apps.audit.models import AuditEvent
from apps.common.ids import new_id
from apps.prescriptions.models import Drug
from apps.prescriptions.tests import factories

pytestmark = pytest.mark.django_db
PATH = "/pharmacy/drugs"


@pytest.fixture
def pharmacist(staff: dict[str, User]) -> ApiClient:
    factories.catalogue()
    return api_client(staff["pharmacist"])


def names(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row["name"] for row in reply.json()["data"]["drugs"]]


def test_a_drug_is_found_with_its_ingredients_and_their_strengths(pharmacist: ApiClient) -> None:
    reply = pharmacist.get(f"{PATH}?search=augmentin")

    (row,) = reply.json()["data"]["drugs"]
    assert row["ingredients"] == [
        {"name": "amoxicillin", "amount": 875, "amount_unit": "mg", "per": 1, "per_unit": "tablet"},
        {"name": "clavulanate", "amount": 125, "amount_unit": "mg", "per": 1, "per_unit": "tablet"},
    ]
    assert (row["strength"], row["form"], row["route"], row["unit"]) == ("875 mg / 125 mg", "tablet", "oral", "tablet")
    assert reply.json()["data"]["fuzzy"] is False


def test_a_misspelt_search_is_marked(pharmacist: ApiClient) -> None:
    reply = pharmacist.get(f"{PATH}?search=amoxicilin")

    assert reply.json()["data"]["fuzzy"] is True
    assert all("amoxicillin" in name for name in names(reply))


def test_drugs_that_are_not_offered_are_listed_on_request(pharmacist: ApiClient) -> None:
    assert "simvastatin 10 mg" not in names(pharmacist.get(PATH))
    assert "simvastatin 10 mg" in names(pharmacist.get(f"{PATH}?include_not_offered=true"))
    assert pharmacist.get(f"{PATH}?include_not_offered=perhaps").status_code == 400


def test_the_statements_of_a_page_do_not_grow_with_its_rows(pharmacist: ApiClient) -> None:
    with CaptureQueriesContext(connection) as few:
        pharmacist.get(f"{PATH}?search=amox&limit=1")
    with CaptureQueriesContext(connection) as many:
        pharmacist.get(f"{PATH}?search=amox&limit=100")

    assert len(many) == len(few)


def test_a_drug_is_added_read_and_changed(pharmacist: ApiClient) -> None:
    added = pharmacist.post(PATH, {"name": "Ramipril 5 MG Oral Capsule", "brand_names": ["Altace"], "use": "blood pressure"})
    assert added.status_code == 201, added.content
    address = added.headers["Location"].removeprefix("/v1")
    read = pharmacist.get(address)
    assert read.json()["data"]["drug"] == added.json()["data"]["drug"]

    changed = pharmacist.put(address, {"schedule": "", "is_offered": False}, headers={"If-Match": read.headers["ETag"]})

    assert (changed.status_code, changed.json()["data"]["drug"]["is_offered"]) == (200, False)
    assert pharmacist.put(address, {"use": "x"}, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert list(AuditEvent.objects.filter(action__startswith="drug.").order_by("at").values_list("action", flat=True)) == [
        "drug.added",
        "drug.changed",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "Ramipril"}, "name"),
        ({"name": "Ramipril 5 MG Oral Capsule", "schedule": "VI"}, "schedule"),
        ({"name": "Ramipril 5 MG Oral Capsule", "rxcui": "12a"}, "rxcui"),
        ({"name": "Ramipril 5 MG Oral Capsule", "brand_names": "Altace"}, "brand_names"),
        ({"name": "Ramipril 5 MG Oral Capsule", "strength": "5 mg"}, "strength"),
    ],
)
def test_a_bad_drug_names_the_field(pharmacist: ApiClient, body: dict[str, Any], field: str) -> None:
    refused = pharmacist.post(PATH, body)

    assert refused.status_code == 400
    assert refused.json()["error"]["details"]["field"].startswith(field)
    assert not Drug.objects.filter(generic_name="ramipril").exists()


def test_a_drug_that_exists_is_refused(pharmacist: ApiClient) -> None:
    refused = pharmacist.post(PATH, {"name": "Lisinopril 10 MG Oral Tablet"})

    assert (refused.status_code, refused.json()["error"]["details"]["reason"]) == (409, "drug_exists")


def test_an_unknown_drug_is_not_found(pharmacist: ApiClient) -> None:
    assert pharmacist.get(f"{PATH}/{new_id()}").status_code == 404
    assert pharmacist.put(f"{PATH}/{new_id()}", {"use": "pain"}).status_code == 404


def test_a_nurse_looks_drugs_up_and_adds_none(staff: dict[str, User]) -> None:
    nurse = api_client(staff["nurse"])

    assert nurse.get(PATH).status_code == 200
    assert nurse.post(PATH, {"name": "Ramipril 5 MG Oral Capsule"}).status_code == 403
