"""Counts and places of the patient list, without counting it and without walking to a far page.

The triggers of migration 0002 write, this module reads, folds and repairs. A list is `listed` (everybody), `active` or
`inactive`; its order is the newest first.
"""

from dataclasses import dataclass

from django.db import connection, transaction

BLOCK = 1_024  # patients by `seq`, as in the migration
_NEWEST = 2**63 - 1  # behind every `seq`
_COUNTED = {"listed": "listed", "active": "active", "inactive": "listed - active"}


@dataclass(frozen=True)
class Place:
    """Where a page begins: skip `skip` rows from `seq` downwards. `total` is the length of the list."""

    seq: int
    skip: int
    total: int


def total(which: str = "listed") -> int:
    """The exact number of patients on a list, as this transaction sees it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum({_COUNTED[which]}), 0) FROM patients_tally WHERE level = 0")
        return int(cursor.fetchone()[0])


# Blocks from the newest down, each with how many rows stand before it; the last that begins at or before the offset holds it.
_PLACE = """
WITH blocks AS (SELECT block, sum({counted}) AS n FROM patients_tally WHERE level = 1 GROUP BY block),
     places AS (SELECT block, n, sum(n) OVER (ORDER BY block DESC) - n AS before FROM blocks),
     here AS (SELECT block, before FROM places WHERE before <= %(offset)s AND n > 0 ORDER BY block LIMIT 1)
SELECT coalesce((SELECT (block + 1) * %(block)s - 1 FROM here), 0), %(offset)s - coalesce((SELECT before FROM here), 0),
       coalesce((SELECT sum(n) FROM blocks), 0)
"""


def place(offset: int, which: str = "listed") -> Place:
    """Where the row `offset` of a list is, without passing those before it. O(blocks), then at most BLOCK rows to skip.

    The first pages are simply walked to: their total is one row.
    """
    if offset < BLOCK:
        return Place(seq=_NEWEST, skip=offset, total=total(which))
    with connection.cursor() as cursor:
        cursor.execute(_PLACE.format(counted=_COUNTED[which]), {"offset": offset, "block": BLOCK})
        seq, skip, length = cursor.fetchone()
    return Place(seq=int(seq), skip=int(skip), total=int(length))


# The rows of a block that has more than one; a row that another fold takes at the same time is simply gone when it is our turn.
_FOLD = """
WITH gone AS (
    DELETE FROM patients_tally
    WHERE (level, block) IN (SELECT level, block FROM patients_tally GROUP BY level, block HAVING count(*) > 1)
    RETURNING level, block, listed, active)
INSERT INTO patients_tally (level, block, listed, active)
SELECT level, block, sum(listed), sum(active) FROM gone GROUP BY level, block
"""


def fold() -> int:
    """Add up the rows of each block into one. Answers how many blocks were folded. Any number may run at once."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)
        return cursor.rowcount


_COUNT_AGAIN = """
INSERT INTO patients_tally (level, block, listed, active)
SELECT CASE WHEN grouping(seq >> 10) = 1 THEN 0 ELSE 1 END, coalesce(seq >> 10, 0), count(*), count(*) FILTER (WHERE is_active)
FROM patients_patient WHERE merged_into_id IS NULL GROUP BY GROUPING SETS ((), (seq >> 10)) HAVING count(*) > 0
"""


@transaction.atomic
def recount() -> tuple[int, int]:
    """Count everybody anew while nobody writes. Answers the total before and after: they differ only where a trigger was off."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE patients_patient IN SHARE MODE")
        before = total()
        cursor.execute("DELETE FROM patients_tally")
        cursor.execute(_COUNT_AGAIN)
    return before, total()
