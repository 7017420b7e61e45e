"""Steps 5 and 8 are filled from above: saved and ordered together, refused together."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common import clock
from apps.common.errors import HimsError
from apps.consultations.models import StepSave
from apps.consultations.services import Acknowledged
from apps.consultations.steps import ports
from apps.consultations.steps.definitions import Step
from apps.consultations.steps.ports import Order, OrderRefused
from apps.consultations.tests.factories import save, start_consultation
from apps.patients.models import ChartEntry
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


class Pharmacy:
    """A handler in place of prescriptions: writes a row of its own, and refuses penicillin until that is acknowledged."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.shown: list[HimsError] = []

    def place(self, *, by: Actor, order: Order) -> Mapping[str, Any]:
        self.orders.append(order)
        for drug in order.data.get("medications", ()):
            ChartEntry.objects.create(
                patient_id=order.patient_id,
                type="medication",
                display=drug["name"],
                source="prescription",
                occurred_at=clock.now(),
            )
        if "Penicillin" in str(order.data) and "a1" not in [one.id for one in order.acknowledged]:
            raise OrderRefused(alerts=[{"id": "a1", "severity": "contraindicated"}])
        return {"prescription_ids": [f"rx{len(self.orders)}"]}

    def refused(self, *, by: Actor, order: Order, refusal: HimsError) -> None:
        self.shown.append(refusal)


@pytest.fixture
def pharmacy() -> Iterator[Pharmacy]:
    filled = Pharmacy()
    ports.register_step_handler(Step.PRESCRIPTIONS, filled)
    yield filled
    ports.unregister_step_handler(Step.PRESCRIPTIONS)


def test_a_saved_step_is_ordered_and_shows_what_was_placed(staff: dict[str, User], pharmacy: Pharmacy) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    after = save(staff["doctor"], visit, 8)
    assert after.saves[8].outcome == {"prescription_ids": ["rx1"]}
    (order,) = pharmacy.orders
    assert (order.consultation_id, order.doctor_id, order.earlier) == (visit.row.pk, staff["doctor"].pk, {})
    shown = api_client(staff["doctor"]).get(f"/consultations/{visit.row.pk}").json()["data"]["consultation"]
    assert shown["step_data"]["prescriptions"]["outcome"] == {"prescription_ids": ["rx1"]}


def test_a_draft_orders_nothing_and_a_second_save_hands_over_what_was_placed(staff: dict[str, User], pharmacy: Pharmacy) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    save(doctor, visit, 8, completed=False)
    assert not pharmacy.orders
    save(doctor, visit, 8, completed=True)
    save(doctor, visit, 8, {"medications": [{"name": "Ibuprofen"}]})
    assert [dict(order.earlier) for order in pharmacy.orders] == [{}, {"prescription_ids": ["rx1"]}]


def test_what_is_refused_is_neither_saved_nor_ordered_and_can_be_acknowledged(staff: dict[str, User], pharmacy: Pharmacy) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    drug = {"medications": [{"name": "Penicillin V"}]}
    with pytest.raises(OrderRefused) as refused:
        save(doctor, visit, 8, drug)
    assert refused.value.details["alerts"][0]["id"] == "a1"
    assert not StepSave.objects.exists()
    assert not ChartEntry.objects.exists()
    assert pharmacy.shown == [refused.value]
    save(doctor, visit, 8, drug, acknowledged=[Acknowledged(id="a1", reason="Tolerated before")])
    assert ChartEntry.objects.get().display == "Penicillin V"


def test_over_the_api_a_refused_order_is_a_409_with_its_alerts(staff: dict[str, User], pharmacy: Pharmacy) -> None:
    who = api_client(staff["doctor"])
    at = f"/consultations/{start_consultation(staff['doctor'], register_patient()).row.pk}/step"
    body = {"step_number": 8, "step_data": {"medications": [{"name": "Penicillin V"}]}}
    refused = who.put(at, body)
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["alerts"] == [{"id": "a1", "severity": "contraindicated"}]
    acknowledged = {"acknowledged_alerts": [{"id": "a1", "reason": "Tolerated before"}]}
    assert who.put(at, body | acknowledged).status_code == 200


def test_other_steps_take_no_handler() -> None:
    with pytest.raises(ValueError, match="no handler"):
        ports.register_step_handler(Step.ASSESSMENT, Pharmacy())
