"""A plug: whoever stands above fills steps 5 and 8, so that the step is saved and the order placed in one transaction.

    ports.plug(Step.INVESTIGATIONS, LabOrders())

A handler has two parts. `check` is called before the step's own savepoint, under the visit's lock: it may refuse (a safety alert is
a Conflict with `alerts`), and what it wrote before stays where the caller keeps it (`rest.transactions.kept_in_spite`). `place` is
called inside: what it does and what is saved stand or fall together. Both are called for completed saves alone: a draft orders
nothing. A step that is saved again hands over what it placed before, for the handler to change.

Without a handler the step is saved as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from apps.access.actor import Actor
from apps.consultations.steps import Step

FILLED_FROM_ABOVE = (Step.INVESTIGATIONS, Step.PRESCRIPTIONS)


@dataclass(frozen=True)
class Acknowledged:
    """An alert that was seen, and why it is overridden."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a completed step asks for. `data` is the step's, as `steps` knows it; `earlier` what the handler answered last time."""

    consultation_id: UUID
    patient_id: UUID
    doctor_id: UUID
    entered_by_id: UUID | None
    data: Mapping[str, Any]
    earlier: Mapping[str, Any]
    acknowledged: Sequence[Acknowledged]


class StepHandler(Protocol):
    """What laboratory and prescriptions offer."""

    def check(self, *, by: Actor, order: Order) -> None:
        """Refuse what cannot be ordered: Invalid with fields below `step_data`, or Conflict with `alerts`."""
        ...

    def place(self, *, by: Actor, order: Order) -> Mapping[str, Any]:
        """Place or change the order. Answers plain values that are shown with the step, like the ids and alerts that inform."""
        ...


_handlers: dict[Step, StepHandler] = {}


def plug(step: Step, handler: StepHandler) -> None:
    """Fill a step. Raises ValueError for a step that is not filled from above."""
    if step not in FILLED_FROM_ABOVE:
        raise ValueError(f"step {int(step)} has no handler")
    _handlers[step] = handler


def unplug(step: Step) -> None:
    """Take the handler out again (tests)."""
    _handlers.pop(step, None)


def handler_of(step: Step) -> StepHandler | None:
    """Who fills the step, if anybody does."""
    return _handlers.get(step)
