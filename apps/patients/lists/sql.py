"""Counts and positions of the patient list, without counting it and without scanning to a far page.

Triggers write the row counter (`common.row_counters`); this module reads it by blocks. A list is `listed` (all), `active` or
`inactive`; its order is the newest first. `hidden` is a statement that returns the `seq` of patients that the caller may not know
of: they are not counted.
"""

from dataclasses import dataclass

from apps.common import prepared
from apps.common.prepared import SqlFragment
from apps.patients.apps import ROW_COUNTER

REGION, BLOCK = (2**bits for bits in ROW_COUNTER.block_bits)  # patients by `seq`: 16,384 and 256
_NEWEST = 2**63 - 1  # after every `seq`
_COUNTED = {"listed": "listed", "active": "active", "inactive": "listed - active"}


@dataclass(frozen=True)
class PageStart:
    """Where a page begins: skip `skip` rows from `seq` downwards. `total` is the length of the list."""

    seq: int
    skip: int
    total: int


# The rows of a level, less those who are hidden.
_ROWS = "SELECT level, block, {counted} AS n FROM patients_rowcounter"
_MINUS_HIDDEN = """
UNION ALL
SELECT level, seq / size, -({counted}) FROM (
    SELECT seq, 1 AS listed, is_active::int AS active FROM patients_patient
    WHERE merged_into_id IS NULL AND seq IN ({hidden})) hidden, (VALUES (0, {region}), (1, {block})) levels (level, size)
"""


def _rows(which: str, hidden: SqlFragment | None) -> str:
    text = _ROWS + _MINUS_HIDDEN if hidden else _ROWS
    return text.format(counted=_COUNTED[which], region=REGION, block=BLOCK, hidden=hidden.sql if hidden else "")


def total(which: str = "listed", hidden: SqlFragment | None = None) -> int:
    """Returns the exact number of patients on a list, as this transaction sees it."""
    with prepared.cursor() as cursor:
        text = f"SELECT coalesce(sum(n), 0) FROM ({_rows(which, hidden)}) t WHERE level = 0"
        cursor.execute(text, hidden.values if hidden else [])
        return int(cursor.fetchone()[0])


# Regions from the newest down, each with the number of rows before it: the last that begins at or before the offset contains it.
# Then the same with the blocks of that region.
_PAGE_START = """
WITH counted AS NOT MATERIALIZED ({rows}),
     regions AS (SELECT block, sum(n) AS n FROM counted WHERE level = 0 GROUP BY block),
     region AS (
        SELECT block, before FROM (SELECT block, n, sum(n) OVER (ORDER BY block DESC) - n AS before FROM regions) r
        WHERE before <= %s AND n > 0 ORDER BY block LIMIT 1),
     blocks AS (
        SELECT block, sum(n) AS n FROM counted
        WHERE level = 1 AND block >= (SELECT block * {share} FROM region) AND block < (SELECT (block + 1) * {share} FROM region)
        GROUP BY block),
     here AS (
        SELECT block, before FROM (
            SELECT block, n, (SELECT before FROM region) + sum(n) OVER (ORDER BY block DESC) - n AS before FROM blocks) b
        WHERE before <= %s AND n > 0 ORDER BY block LIMIT 1)
SELECT coalesce((SELECT (block + 1) * {block} - 1 FROM here), 0), coalesce((SELECT before FROM here), 0),
       coalesce((SELECT sum(n) FROM regions), 0)
"""


def page_start(offset: int, which: str = "listed", hidden: SqlFragment | None = None) -> PageStart:
    """Returns the position of the row `offset` of a list, without scanning those before it. O(regions), then at most BLOCK rows
    to skip.

    The first pages are simply scanned.
    """
    if offset < BLOCK:
        return PageStart(seq=_NEWEST, skip=offset, total=total(which, hidden))
    text = _PAGE_START.format(rows=_rows(which, hidden), share=REGION // BLOCK, block=BLOCK)
    with prepared.cursor() as cursor:
        cursor.execute(text, [*(hidden.values if hidden else []), offset, offset])
        seq, before, length = cursor.fetchone()
    return PageStart(seq=int(seq), skip=offset - int(before), total=int(length))
