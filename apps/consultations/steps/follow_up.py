"""What a signed visit plans next: the section Follow-up, read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True)
class FollowUp:
    """What should come next, in the doctor's words, and the day if one is given."""

    text: str
    due_on: date | None


def planned(data: Mapping[str, Any], visited_on: date) -> FollowUp | None:
    """Returns what the section plans, or None if it plans nothing. `in_days` counts from `visited_on`, the day of the visit."""
    follow_up = data.get("follow_up")
    if not follow_up:
        return None
    if isinstance(follow_up, str):
        return FollowUp(follow_up, None)
    due_on = date.fromisoformat(follow_up["date"]) if follow_up.get("date") else None
    if due_on is None and follow_up.get("in_days"):
        due_on = visited_on + timedelta(days=follow_up["in_days"])
    return FollowUp(follow_up.get("reason") or follow_up.get("referral") or "", due_on)
