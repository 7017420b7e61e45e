"""Which status may follow which, and the progress of a consultation. Pure decisions on plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from apps.common.lifecycle.states import Lifecycle
from apps.consultations.steps.definitions import STEP_COUNT, Step


class Status(StrEnum):
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    AMENDED = "amended"  # completed, with addenda since
    CANCELLED = "cancelled"


class Workflow(StrEnum):
    ADAPTIVE = "adaptive"
    STANDARD = "standard"
    QUICK = "quick"


class State(StrEnum):
    """The state of a step."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    SKIPPED = "skipped"


S = Status
LIFECYCLE = Lifecycle(
    moves={
        S.IN_PROGRESS: (S.ON_HOLD, S.COMPLETED, S.CANCELLED),
        S.ON_HOLD: (S.IN_PROGRESS, S.CANCELLED),
        S.COMPLETED: (S.AMENDED,),
        S.AMENDED: (S.AMENDED,),  # each further addendum
        S.CANCELLED: (),
    }
)
LIVE = (S.IN_PROGRESS, S.ON_HOLD)
SIGNED = (S.COMPLETED, S.AMENDED)
TO_SIGN_WITHIN = timedelta(hours=24)  # of the start; after that the note is one to finish

STANDARD_REQUIRED = tuple(Step(number) for number in (0, 1, 2, 3, 4, 6, 7))
QUICK_REQUIRED = (Step.SYMPTOMS, Step.TREATMENT_PLAN)
_BYPASSED = "Skipped; it can still be filled in."
_NOT_ASKED = "Not required in a quick visit; it can still be filled in."
_NOT_NEEDED = "Was not needed."


@dataclass(frozen=True)
class StepRequirements:
    """What a consultation needs: the required and the skipped steps, each with the reason, and the steps to do first."""

    required: Mapping[Step, str]
    skipped: Mapping[Step, str]
    first: Sequence[Step] = ()


def fixed_requirements(workflow: str) -> StepRequirements:
    """Returns the requirements of a standard or quick consultation."""
    if workflow == Workflow.QUICK:
        rest = [step for step in Step if step not in (*QUICK_REQUIRED, Step.REVIEW_SIGN)]
        return StepRequirements(dict.fromkeys(QUICK_REQUIRED, "Every quick visit requires it."), dict.fromkeys(rest, _NOT_ASKED))
    return StepRequirements(dict.fromkeys(STANDARD_REQUIRED, "Every standard visit requires it."), {})


@dataclass(frozen=True)
class StepState:
    """The state of one step, and why it is required or skipped."""

    step: Step
    state: State
    required: bool
    reason: str

    @property
    def is_completed(self) -> bool:
        return self.state is State.COMPLETED

    @property
    def is_in_progress(self) -> bool:
        return self.state is State.IN_PROGRESS


@dataclass(frozen=True)
class Progress:
    """The progress of a consultation. `current` is the lowest step that is neither completed nor skipped."""

    steps: tuple[StepState, ...]
    current: Step
    missing: tuple[Step, ...]
    recommended: Step | None

    @property
    def required(self) -> tuple[Step, ...]:
        return tuple(one.step for one in self.steps if one.required)


def progress(workflow: str, status: str, requirements: StepRequirements, saved: Mapping[Step, State]) -> Progress:
    """Returns the state of each step, from what was saved and what the consultation needs."""
    states = {step: saved.get(step, State.PENDING) for step in Step}
    reasons = dict(requirements.required)
    for step, why in _skipped_steps(workflow, status, requirements, saved).items():
        states[step], reasons[step] = State.SKIPPED, why
    open_steps = [step for step in Step if states[step] not in (State.COMPLETED, State.SKIPPED)]
    current = open_steps[0] if open_steps and status not in SIGNED else Step.REVIEW_SIGN
    if status == Status.IN_PROGRESS and states[current] == State.PENDING:
        states[current] = State.IN_PROGRESS  # the step at which the doctor is
    missing = tuple(step for step in Step if step in requirements.required and states[step] != State.COMPLETED)
    steps = tuple(StepState(step, states[step], step in requirements.required, reasons.get(step, "")) for step in Step)
    return Progress(steps, current, missing, _recommended(status, requirements, states, missing, open_steps))


def blocking_step(workflow: str, step: Step, reached: Progress) -> Step | None:
    """Returns the open required step before this one in a standard consultation; else None."""
    if workflow != Workflow.STANDARD or not reached.missing:
        return None
    return reached.missing[0] if reached.missing[0] < step else None


def _skipped_steps(workflow: str, status: str, requirements: StepRequirements, saved: Mapping[Step, State]) -> dict[Step, str]:
    """Returns the untouched steps that are not required, each with the reason."""
    skipped = {step: why for step, why in requirements.skipped.items() if step not in saved and step not in requirements.required}
    untouched = [step for step in Step if step not in saved and step not in requirements.required]
    if workflow == Workflow.STANDARD:
        furthest = max(saved, default=Step.PATIENT_OVERVIEW)
        skipped |= {step: _BYPASSED for step in untouched if step < furthest}
    if status in SIGNED:
        skipped |= {step: _NOT_NEEDED for step in untouched if step not in skipped}
    return skipped


def _recommended(
    status: str, requirements: StepRequirements, states: Mapping[Step, State], missing: Sequence[Step], open_steps: Sequence[Step]
) -> Step | None:
    """Returns the next step: first what a rule puts first, then required steps, then open steps, then the signature."""
    if status not in LIVE:
        return None
    urgent = [step for step in requirements.first if states[step] != State.COMPLETED]
    candidates = [*urgent, *missing, *open_steps]
    return candidates[0] if candidates else Step(STEP_COUNT - 1)
