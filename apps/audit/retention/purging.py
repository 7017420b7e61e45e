"""The purge, which deletes the rows that the apps' retention rules name (`common.retention`, docs/retention.md).

A purge deletes rows in batches, each a short transaction with its own audit row; rows that another transaction has locked wait
for the next purge. No rule may touch a clinical, financial or audit row that is younger than six years (45 CFR 164.316(b)(2)(i)
requires six years for the documentation of security measures; state laws require as much or more for charts).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.access.actor import Actor
from apps.audit import services
from apps.common import clock
from apps.common.errors import Invalid
from apps.common.retention import RetentionRule, rules

BATCH = 5_000
BATCHES_PER_TASK = 20  # batches of one task; a few seconds


@dataclass(frozen=True)
class PurgeResult:
    """How many rows a rule deleted, or would delete, and whether all deletable rows are gone."""

    rule: str
    before: datetime
    rows: int
    is_done: bool = True


@dataclass
class _BatchBudget:
    """How many batches may still be deleted."""

    batches: float


def purge(*, by: Actor, only: str = "", batch: int = 0, is_dry_run: bool = False, limit: int = 0) -> list[PurgeResult]:
    """Deletes the rows of every rule, or of the named one. A dry run only counts. Raises Invalid for an unknown rule.

    `batch` is the number of rows of a batch (default: BATCH), `limit` that of batches, of all rules together (default: no limit).
    """
    names = [rule.name for rule in rules()]
    if only and only not in names:
        raise Invalid(field="rule", issue=f"There is no such rule. Choose one of {', '.join(names)}.")
    now, budget = clock.now(), _BatchBudget(limit or math.inf)
    cutoffs = [(rule, now - rule.keep()) for rule in rules() if only in ("", rule.name)]
    if is_dry_run:
        return [PurgeResult(rule.name, before, rule.expired(before).count()) for rule, before in cutoffs]
    return [_purge_rule(by, rule, before, batch or BATCH, budget) for rule, before in cutoffs]


def purge_share(*, by: Actor, start_next: Callable[[], object]) -> int:
    """Deletes a share of the rows of every rule, the work of one task. Returns how many.

    Calls `start_next` if rows remain.
    """
    results = purge(by=by, limit=BATCHES_PER_TASK)
    if not all(purged.is_done for purged in results):
        start_next()
    return sum(purged.rows for purged in results)


def _purge_rule(by: Actor, rule: RetentionRule, before: datetime, batch: int, budget: _BatchBudget) -> PurgeResult:
    total = 0
    while budget.batches > 0:
        removed = _remove(by, rule, before, batch)
        if not removed:
            return PurgeResult(rule.name, before, total)
        total += removed
        budget.batches -= 1
    return PurgeResult(rule.name, before, total, is_done=False)


@transaction.atomic
def _remove(by: Actor, rule: RetentionRule, before: datetime, limit: int) -> int:
    rows = rule.expired(before)
    locked = list(rows.order_by("pk").select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit])
    if locked:
        rows.model._default_manager.filter(pk__in=locked).delete()
        services.record(by=by, action="retention.purged", rule=rule.name, rows=len(locked), before=before.isoformat())
    return len(locked)
