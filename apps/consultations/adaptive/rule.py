"""A row of the table of rules."""

from dataclasses import dataclass

from apps.consultations.adaptive.facts import Condition
from apps.consultations.steps.definitions import Step


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule. `because` may name facts in braces. `asks` are shown at step `at`; an `alert` must be acknowledged before the
    signature."""

    rule_id: str
    because: str
    source: str
    when: tuple[Condition, ...] = ()
    requires: tuple[Step, ...] = ()
    skips: tuple[Step, ...] = ()
    first: Step | None = None
    at: Step | None = None
    asks: tuple[str, ...] = ()
    alert: str = ""
    urgent: bool = False  # the doctor is notified of the alert at once; it depends on age and vital signs only
    prefills: str = ""
