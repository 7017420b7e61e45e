"""Playing a state machine: so many sequences of so many acts, the long way with HIMS_TEST_FULL=1."""

import os

from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

LONG = os.environ.get("HIMS_TEST_FULL") == "1"
SEEDS, STEPS = (50, 200) if LONG else (5, 50)


def run_state_machine(machine: type[RuleBasedStateMachine]) -> None:
    """Play it, without a rate limit; the short way is the same every time."""
    how = settings(
        max_examples=SEEDS,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not LONG,
        database=None,
        phases=[Phase.generate],  # shrinking a sequence takes minutes; it is printed as it was found
    )
    with override_settings(HIMS_RATE_LIMIT_SCALE=1_000):
        run_state_machine_as_test(machine, settings=how)
