"""Counts and places of the patient list, without counting it and without walking to a far page.

The triggers of migration 0002 write, this module reads, folds and repairs. A list is `listed` (everybody), `active` or
`inactive`; its order is the newest first.
"""

from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet

BLOCK = 1_024  # patients by `seq`, as in the migration
_NEWEST = 2**63 - 1  # behind every `seq`
_COUNTED = {"listed": "listed", "active": "active", "inactive": "listed - active"}
_STATUS = {"listed": {}, "active": {"is_active": True}, "inactive": {"is_active": False}}


@dataclass(frozen=True)
class Place:
    """Where a page begins: skip `skip` rows from `seq` downwards. `total` is the length of the list."""

    seq: int
    skip: int
    total: int


def total(which: str = "listed", hidden: QuerySet | None = None) -> int:
    """The exact number of patients on a list, as this transaction sees it; without those `hidden` from whoever asks."""
    left_out, values = _left_out(which, hidden)
    with connection.cursor() as cursor:
        cursor.execute(_TOTAL.format(counted=_COUNTED[which], left_out=left_out), values)
        return int(cursor.fetchone()[0])


_TOTAL = """
SELECT coalesce(sum({counted}), 0) - (SELECT count(*) FROM ({left_out}) left_out) FROM patients_tally WHERE level = 0
"""


def _left_out(which: str, hidden: QuerySet | None) -> tuple[str, tuple]:
    """A statement that lists the `seq` of those on the list who are not counted, with its values. They are few and indexed."""
    nobody = "SELECT NULL::bigint AS seq WHERE false", ()
    if hidden is None:
        return nobody
    try:
        return hidden.filter(merged_into=None, **_STATUS[which]).order_by().values("seq").query.sql_with_params()
    except EmptyResultSet:
        return nobody


# Blocks from the newest down, each with how many rows stand before it; the last that begins at or before the offset holds it.
_PLACE = """
WITH counted AS (SELECT block, {counted} AS n FROM patients_tally WHERE level = 1
                 UNION ALL SELECT seq / {block}, -1 FROM ({left_out}) left_out),
     blocks AS (SELECT block, sum(n) AS n FROM counted GROUP BY block),
     places AS (SELECT block, n, sum(n) OVER (ORDER BY block DESC) - n AS before FROM blocks),
     here AS (SELECT block, before FROM places WHERE before <= %s AND n > 0 ORDER BY block LIMIT 1)
SELECT coalesce((SELECT (block + 1) * {block} - 1 FROM here), 0), coalesce((SELECT before FROM here), 0),
       coalesce((SELECT sum(n) FROM blocks), 0)
"""


def place(offset: int, which: str = "listed", hidden: QuerySet | None = None) -> Place:
    """Where the row `offset` of a list is, without passing those before it. O(blocks), then at most BLOCK rows to skip.

    Patients who are `hidden` from whoever asks stand on no page and are counted nowhere. The first pages are simply walked to:
    their total is one row.
    """
    if offset < BLOCK:
        return Place(seq=_NEWEST, skip=offset, total=total(which, hidden))
    left_out, values = _left_out(which, hidden)
    with connection.cursor() as cursor:
        cursor.execute(_PLACE.format(counted=_COUNTED[which], block=BLOCK, left_out=left_out), [*values, offset])
        seq, before, length = cursor.fetchone()
    return Place(seq=int(seq), skip=offset - int(before), total=int(length))


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
