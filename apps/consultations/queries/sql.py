"""The chart and the last visit of a patient in one prepared statement: each saved step of an adaptive consultation needs them."""

from typing import Any

from apps.common import prepared
from apps.common.prepared import SqlFragment

_CHART_AND_LAST_VISIT = """
SELECT last.visit_at, entry.* FROM (SELECT ({last})) last (visit_at) LEFT JOIN ({chart}) entry ON true
ORDER BY entry.occurred_at DESC, entry.id DESC
"""


def chart_and_last_visit(*, chart: SqlFragment, last_visit: SqlFragment) -> list[tuple[Any, ...]]:
    """Returns the instant of the last visit and the columns of an entry, a row per entry; one row if there is no entry."""
    with prepared.cursor() as cursor:
        cursor.execute(_CHART_AND_LAST_VISIT.format(last=last_visit.sql, chart=chart.sql), [*last_visit.values, *chart.values])
        return list(cursor.fetchall())
