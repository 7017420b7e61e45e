"""A port: higher apps handle steps 5 and 8, so that one transaction saves the step and places the order.

    ports.register_step_handler(Step.INVESTIGATIONS, LabOrders())

`place` runs in the transaction of the save, so both succeed or fail together. It refuses by raising `OrderRefused` with its
`alerts`; then the save is rolled back, and `refused` is called afterwards to record what was shown. Only completed
saves place an order; a draft does not. When a step is saved again, its handler gets its previous result, to change it.

Without a handler the step is saved unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from apps.access.actor import Actor
from apps.common.errors import Conflict, HimsError
from apps.consultations.steps.definitions import Step

HANDLED_STEPS = (Step.INVESTIGATIONS, Step.PRESCRIPTIONS)


@dataclass(frozen=True)
class Acknowledged:
    """An alert that was acknowledged, and why it is overridden."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a completed step orders. `data` is the step's data, `earlier` the handler's previous result."""

    consultation_id: UUID
    patient_id: UUID
    doctor_id: UUID
    entered_by_id: UUID | None
    data: Mapping[str, Any]
    earlier: Mapping[str, Any]
    acknowledged: Sequence[Acknowledged]


class OrderRefused(Conflict):
    """The order is unsafe as it is. `alerts` lists what was found; the caller acknowledges each, or changes the order."""

    message = "The order was not placed: acknowledge each of its alerts with a reason, or change the order."


class StepHandler(Protocol):
    """What laboratory and prescriptions implement."""

    def place(self, *, by: Actor, order: Order) -> Mapping[str, Any]:
        """Places or changes the order. Returns plain values that are shown with the step, like ids and alerts for information.

        Raises Invalid with fields below `step_data`, or OrderRefused.
        """
        ...

    def refused(self, *, by: Actor, order: Order, refusal: HimsError) -> None:
        """Records what was shown with the refusal; the save itself was rolled back."""
        ...


_handlers: dict[Step, StepHandler] = {}


def register_step_handler(step: Step, handler: StepHandler) -> None:
    """Registers the handler of a step. Raises ValueError for a step that takes none."""
    if step not in HANDLED_STEPS:
        raise ValueError(f"step {int(step)} has no handler")
    _handlers[step] = handler


def unregister_step_handler(step: Step) -> None:
    """Removes the handler again (for tests)."""
    _handlers.pop(step, None)


def handler_of(step: Step) -> StepHandler | None:
    """Returns the step's handler, or None."""
    return _handlers.get(step)
