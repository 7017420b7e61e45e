"""What the section Follow-up of a signed visit plans, and the day on which it is due. Without a database."""

from datetime import date
from typing import Any

import pytest

from apps.consultations.steps.follow_up import FollowUp, planned

VISITED_ON = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, None),
        ({"instructions": "Rest"}, None),
        ({"follow_up": "Come back if it does not get better"}, FollowUp("Come back if it does not get better", None)),
        ({"follow_up": {"in_days": 14, "reason": "Wound check"}}, FollowUp("Wound check", date(2026, 12, 7))),
        ({"follow_up": {"date": "2027-01-04", "in_days": 14}}, FollowUp("", date(2027, 1, 4))),
        ({"follow_up": {"referral": "Dermatology"}}, FollowUp("Dermatology", None)),
    ],
)
def test_a_follow_up_is_due_on_its_day_or_so_many_days_after_the_visit(data: dict[str, Any], expected: FollowUp | None) -> None:
    assert planned(data, VISITED_ON) == expected
