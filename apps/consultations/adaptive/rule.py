"""What a row of the table is."""

from dataclasses import dataclass

from apps.consultations.adaptive.facts import Condition
from apps.consultations.steps.definitions import Step


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`because` may name facts in braces. `asks` are put at step `at`; an `alert` is acknowledged before the visit is signed."""

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
    urgent: bool = False  # the doctor is told of the alert at once; it rests on age and vital signs alone
    prefills: str = ""
