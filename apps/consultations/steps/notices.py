"""Notices for steps 5 and 8 that their items are not ordered or prescribed, while no higher app has registered a handler
(`ports`).

A step that shows amoxicillin as done looks like a prescription. Without a handler HIMS has not checked it against the allergies
and no pharmacy will see it, so the pages and the API say so wherever the step is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.consultations.models import StepSave
from apps.consultations.rules import State
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps import ports
from apps.consultations.steps.definitions import Step


@dataclass(frozen=True)
class StepNotice:
    """What has not happened. `label` is the short form in the list of steps, `field` the list in the step's data that it is
    about."""

    code: str
    step: Step
    field: str
    label: str
    message: str


_NOTICES: Mapping[Step, StepNotice] = {
    Step.INVESTIGATIONS: StepNotice(
        code="not_ordered",
        step=Step.INVESTIGATIONS,
        field="step_data.tests",
        label="not ordered",
        message=("No test is ordered from here. This step only records the requested tests. Order them yourself."),
    ),
    Step.PRESCRIPTIONS: StepNotice(
        code="not_prescribed",
        step=Step.PRESCRIPTIONS,
        field="step_data.medications",
        label="not checked, not prescribed",
        message=(
            "Nothing is checked or prescribed from here. No check for allergies, interactions or doses has run, "
            "and no pharmacy receives this. This step only records the requested medicines. Check and prescribe "
            "them yourself."
        ),
    ),
}


def of_step(step: Step) -> StepNotice | None:
    """Returns the notice for the user who fills in the step now; None if a handler is registered."""
    return None if ports.handler_of(step) else _NOTICES.get(step)


def of_save(save: StepSave | None) -> StepNotice | None:
    """Returns the notice for the stored data of the step.

    None if the step has no item or a handler has placed it. An item that was saved before the handler was registered was never
    placed: the notice stays until the step is saved again.
    """
    notice = _NOTICES.get(Step(save.number)) if save else None
    if save is None or notice is None or not save.data.get(notice.field.removeprefix("step_data.")):
        return None
    was_placed = bool(ports.handler_of(notice.step)) and (save.state != State.COMPLETED or bool(save.outcome))
    return None if was_placed else notice


def of_consultation(consultation: ConsultationDetails) -> list[StepNotice]:
    """Returns the notices for all stored data of the consultation, in the order of the steps."""
    return [notice for step in _NOTICES if (notice := of_save(consultation.saves.get(step)))]
