"""The rules that say how long rows are stored."""

from datetime import timedelta

import pytest

from apps.common import retention
from apps.common.retention import RetentionRule


def rule(name: str) -> RetentionRule:
    return RetentionRule(name, lambda: timedelta(days=1), lambda before: None)  # type: ignore[arg-type, return-value]


@pytest.fixture(autouse=True)
def no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_rules", {})


def test_rules_are_applied_by_name() -> None:
    retention.register(rule("lamps"), rule("beds"))
    retention.register(rule("cups"))
    assert [one.name for one in retention.rules()] == ["beds", "cups", "lamps"]


def test_a_name_that_is_taken_is_refused() -> None:
    first = rule("lamps")
    retention.register(first)
    with pytest.raises(ValueError, match="lamps"):
        retention.register(rule("lamps"))
    assert retention.rules() == [first]
