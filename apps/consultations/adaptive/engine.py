"""Applies the table to the facts of a consultation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from apps.consultations.adaptive.facts import AnyOf, Facts
from apps.consultations.adaptive.rule import Rule
from apps.consultations.adaptive.table import NOT_REVIEWED, RULES, VERSION
from apps.consultations.rules import StepRequirements
from apps.consultations.steps.definitions import Step


@dataclass(frozen=True)
class Prompt:
    """Questions to ask, or things to do, at a step."""

    rule_id: str
    because: str
    step: Step
    asks: tuple[str, ...]


@dataclass(frozen=True)
class Alert:
    """An alert that must be acknowledged before the signature. With another reason it is another alert, so a new value asks
    again."""

    id: str
    rule_id: str
    because: str
    step: Step
    message: str
    urgent: bool = False


@dataclass(frozen=True)
class Reason:
    """A rule about a step, and its reason."""

    rule_id: str
    because: str
    step: Step


@dataclass(frozen=True)
class Guidance:
    """The result of the table for a consultation. Every line names its rule, in the order of the table."""

    version: str
    facts: Facts
    requires: tuple[Reason, ...]
    skips: tuple[Reason, ...]
    first: tuple[Reason, ...]
    prompts: tuple[Prompt, ...]
    alerts: tuple[Alert, ...]
    prefills: tuple[str, ...]

    def requirements(self) -> StepRequirements:
        """Returns the requirements for `rules.progress`. A step that one rule requires and another skips is required."""
        return requirements_of(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Returns the guidance as it is stored with the consultation: plain values, as the database returns them."""
        data: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return data | {"note": NOT_REVIEWED}


def requirements_of(data: Mapping[str, Any]) -> StepRequirements:
    """Returns the requirements from the stored guidance of a consultation."""
    first = tuple(Step(one["step"]) for one in data["first"])
    return StepRequirements(_by_step(data["requires"]), _by_step(data["skips"]), first)


def guide(facts: Facts, rules: Sequence[Rule] = RULES, version: str = VERSION) -> Guidance:
    """Returns the guidance of the rules whose conditions hold, in the order of the table."""
    matching = [(rule, _reason_text(rule, facts)) for rule in rules if all(condition.holds(facts) for condition in rule.when)]
    return Guidance(
        version=version,
        facts=facts,
        requires=tuple(Reason(rule.rule_id, why, step) for rule, why in matching for step in rule.requires),
        skips=tuple(Reason(rule.rule_id, why, step) for rule, why in matching for step in rule.skips),
        first=tuple(Reason(rule.rule_id, why, rule.first) for rule, why in matching if rule.first is not None),
        prompts=tuple(Prompt(rule.rule_id, why, _at(rule), rule.asks) for rule, why in matching if rule.asks),
        alerts=tuple(
            Alert(alert_id(version, rule.rule_id, why), rule.rule_id, why, _at(rule), rule.alert, rule.urgent)
            for rule, why in matching
            if rule.alert
        ),
        prefills=tuple(rule.prefills for rule, _ in matching if rule.prefills),
    )


def urgent_alerts(facts: Facts) -> dict[str, Any]:
    """Returns the urgent alerts of the vital signs of a consultation that is not adaptive, as they are stored; empty for none."""
    data = guide(facts, [rule for rule in RULES if rule.urgent]).as_dict()
    return {name: data[name] for name in ("alerts", "version", "note")} if data["alerts"] else {}


def facts_compared(rule_id: str) -> frozenset[str]:
    """Returns the names of the facts that a rule compares, for a page that marks the value; empty for a rule that is gone."""
    conditions = next((rule.when for rule in RULES if rule.rule_id == rule_id), ())
    compared = (one.conditions if isinstance(one, AnyOf) else (one,) for one in conditions)
    return frozenset(one.fact for group in compared for one in group)


def alert_id(version: str, rule_id: str, because: str) -> str:
    """Returns an id that is the same for the same rule with the same reason."""
    return blake2b("\n".join((version, rule_id, because)).encode(), digest_size=12).hexdigest()


def _at(rule: Rule) -> Step:
    return rule.at if rule.at is not None else Step.REVIEW_SIGN


class _FactsForText(dict[str, Any]):
    """Facts for a sentence; an unknown fact is written as a question mark."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, name: str) -> Any:
        value = getattr(self._facts, name)
        return _Unknown() if value is None else value


class _Unknown:
    def __format__(self, _: str) -> str:
        return "?"


def _reason_text(rule: Rule, facts: Facts) -> str:
    return rule.because.format_map(_FactsForText(facts))


def _by_step(reasons: Sequence[Mapping[str, Any]]) -> dict[Step, str]:
    reasons_by_step: dict[Step, str] = {}
    for one in reasons:
        reasons_by_step.setdefault(Step(one["step"]), one["because"])
    return reasons_by_step
