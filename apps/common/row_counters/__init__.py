"""Row counters: how many rows a large table has, without counting them.

A counter is a table. Triggers add a row to it for every statement that adds or removes rows of the counted table, readers add its
rows up, and a worker compacts them every few seconds. No writer waits for another, and a rollback leaves no count.

An app states its counter twice, and a test compares the two: in `0002_triggers.py` the operation `CreateRowCounter` creates the
table and its triggers, and in `apps.py` the DomainConfig declares it (`row_counters`) for readers, the worker and
`manage.py repair_row_counters`. The migration has a copy of its own because an applied migration no longer changes.
"""

from apps.common.row_counters.sql import RowCounter

__all__ = ["RowCounter"]
