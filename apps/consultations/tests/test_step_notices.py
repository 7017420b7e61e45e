"""What steps 5 and 8 hold is neither checked, prescribed nor ordered until a higher app registers a handler: all say so."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import Client

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common.errors import HimsError
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps import ports
from apps.consultations.steps.definitions import Step
from apps.consultations.steps.ports import Order
from apps.consultations.tests.factories import fill, save, start_consultation
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db

AMOXICILLIN = {"medications": [{"name": "Amoxicillin 500 mg"}]}
CODES = {5: "not_ordered", 8: "not_prescribed"}
TEXTS = {5: "No test is ordered from here", 8: "Nothing is checked or prescribed from here"}
NUMBERS = pytest.mark.parametrize("number", [5, 8])


class FakeOrderHandler:
    """A handler of orders that accepts each and returns its number."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def place(self, *, by: Actor, order: Order) -> Mapping[str, Any]:
        self.orders.append(order)
        return {"ids": [f"order{len(self.orders)}"]}

    def refused(self, *, by: Actor, order: Order, refusal: HimsError) -> None:
        raise AssertionError(refusal)


@pytest.fixture
def order_handler() -> Iterator[FakeOrderHandler]:
    filled = FakeOrderHandler()
    ports.register_step_handler(Step.INVESTIGATIONS, filled)
    ports.register_step_handler(Step.PRESCRIPTIONS, filled)
    yield filled
    ports.unregister_step_handler(Step.INVESTIGATIONS)
    ports.unregister_step_handler(Step.PRESCRIPTIONS)


def quick_visit(staff: dict[str, User]) -> ConsultationDetails:
    """A visit of a patient who is allergic to penicillin, ready to be signed."""
    patient = register_patient()
    chart(patient, "allergy", "Penicillin")
    return fill(staff["doctor"], start_consultation(staff["doctor"], patient, "quick"), 2, 7)


def warned(reply: Any) -> list[tuple[str, str]]:
    assert reply.status_code == 200, reply.content
    return [(one["code"], one["field"]) for one in reply.json().get("warnings", [])]


def read(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_amoxicillin_for_a_patient_with_a_penicillin_allergy_is_marked_as_neither_checked_nor_prescribed(
    staff: dict[str, User],
) -> None:
    who, at = api_client(staff["doctor"]), f"/consultations/{quick_visit(staff).row.pk}"
    assert warned(who.get(at)) == []
    expected = [("not_prescribed", "step_data.medications")]
    assert warned(who.put(f"{at}/step", {"step_number": 8, "step_data": AMOXICILLIN})) == expected
    assert warned(who.put(f"{at}/step", {"step_number": 9, "step_data": {"instructions": "Rest"}})) == expected
    assert warned(who.get(at)) == expected
    tests = {"tests": [{"test_code": "CBC"}]}
    both = [("not_ordered", "step_data.tests"), *expected]
    assert warned(who.put(f"{at}/step", {"step_number": 5, "step_data": tests})) == both
    assert warned(who.post(f"{at}/complete")) == both
    assert warned(who.get(at)) == both
    assert who.post(f"{at}/addenda", {"text": "More"}).json()["warnings"][0]["code"] == "not_ordered"
    assert warned(api_client(staff["billing"]).get(at)) == []


@NUMBERS
def test_without_an_item_there_is_nothing_to_warn_of(staff: dict[str, User], number: int) -> None:
    who, at = api_client(staff["doctor"]), f"/consultations/{quick_visit(staff).row.pk}"
    name = {5: "tests", 8: "medications"}[number]
    assert warned(who.put(f"{at}/step", {"step_number": number, "step_data": {name: []}})) == []


@NUMBERS
def test_what_was_saved_before_the_handler_came_stays_marked_until_it_is_saved_again_and_placed(
    staff: dict[str, User], number: int
) -> None:
    visit, who = quick_visit(staff), api_client(staff["doctor"])
    save(staff["doctor"], visit, number)
    late = FakeOrderHandler()
    ports.register_step_handler(Step(number), late)
    try:
        assert [code for code, _ in warned(who.get(f"/consultations/{visit.row.pk}"))] == [CODES[number]]
        save(staff["doctor"], visit, number)
        assert len(late.orders) == 1
        assert warned(who.get(f"/consultations/{visit.row.pk}")) == []
    finally:
        ports.unregister_step_handler(Step(number))
