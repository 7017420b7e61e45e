"""A plug: whoever stands above fills steps 5 and 8, so that the step is saved and the order placed in one transaction.

    ports.plug(Step.INVESTIGATIONS, LabOrders())

`place` is called in the transaction of the save: what it does and what is saved stand or fall together. It refuses by raising
(a safety alert is a Conflict with `alerts`); then nothing of the save is kept, and `refused` is called after the rollback, to
note what was shown. Only completed saves place anything: a draft orders nothing. A step that is saved again hands over what its
handler answered before, for it to change.

Without a handler the step is saved as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from apps.access.actor import Actor
from apps.common.errors import HimsError
from apps.consultations.steps.definitions import Step

HANDLED_STEPS = (Step.INVESTIGATIONS, Step.PRESCRIPTIONS)


@dataclass(frozen=True)
class Acknowledged:
    """An alert that was seen, and why it is overridden."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a completed step asks for. `data` is the step's; `earlier` what the handler answered last time."""

    consultation_id: UUID
    patient_id: UUID
    doctor_id: UUID
    entered_by_id: UUID | None
    data: Mapping[str, Any]
    earlier: Mapping[str, Any]
    acknowledged: Sequence[Acknowledged]


class StepHandler(Protocol):
    """What laboratory and prescriptions offer."""

    def place(self, *, by: Actor, order: Order) -> Mapping[str, Any]:
        """Place or change the order. Answers plain values that are shown with the step, like the ids and the alerts that inform.

        Raises Invalid with fields below `step_data`, or Conflict.
        """
        ...

    def refused(self, *, by: Actor, order: Order, refusal: HimsError) -> None:
        """Note what was shown with the refusal; nothing else of the save is left."""
        ...


_handlers: dict[Step, StepHandler] = {}


def register_step_handler(step: Step, handler: StepHandler) -> None:
    """Fill a step. Raises ValueError for a step that is not filled from above."""
    if step not in HANDLED_STEPS:
        raise ValueError(f"step {int(step)} has no handler")
    _handlers[step] = handler


def unregister_step_handler(step: Step) -> None:
    """Take the handler out again (tests)."""
    _handlers.pop(step, None)


def handler_of(step: Step) -> StepHandler | None:
    """Who fills the step, if anybody does."""
    return _handlers.get(step)
