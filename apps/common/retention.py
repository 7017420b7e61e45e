"""The retention periods of rows other than clinical, financial and audit records (docs/retention.md).

An app registers the rules of its own tables in its module `retention`; `audit.retention.purging` removes what they name.

    register(RetentionRule("freed_times", lambda: timedelta(days=90), lambda before: Offer.objects.filter(ends_at__lt=before)))
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class RetentionRule:
    """`expired` returns the rows to delete, given the instant before which they are too old; `keep` is read at each purge."""

    name: str
    keep: Callable[[], timedelta]
    expired: Callable[[datetime], QuerySet[Any]]


_rules: dict[str, RetentionRule] = {}


def register(*rules: RetentionRule) -> None:
    """Adds rules. Raises ValueError for a name that is taken."""
    for rule in rules:
        if rule.name in _rules:
            raise ValueError(f"there is a retention rule {rule.name} already")
        _rules[rule.name] = rule


def rules() -> list[RetentionRule]:
    """Returns every rule, by name."""
    return sorted(_rules.values(), key=lambda rule: rule.name)
