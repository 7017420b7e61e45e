"""Row counters: how many rows a large table has, without counting them.

Triggers add a row to the counter for every statement that adds or removes rows of the counted table (an app's migration creates
them). Readers add the rows of the counter up, and a worker compacts them every few seconds. No writer waits for another, and what
is rolled back was never counted. A counter may have several blocks, each with rows of its own (`block_columns`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Model


@dataclass(frozen=True)
class RowCounter:
    """A counter's table, and how to read, compact and repair it.

    `table` is the model of the counter, `counted` the model whose rows it counts. `columns` add up; the first is the total. A
    counter with blocks says which of its rows make the total (`total_condition`) and how to count afresh (`count_sql`, a SELECT
    of the block columns and the columns).
    """

    table: type[Model]
    counted: type[Model]
    columns: Sequence[str]
    block_columns: Sequence[str] = ()
    total_condition: str = "true"
    count_sql: str = ""

    @property
    def total_sql(self) -> str:
        """The statement that reads the total."""
        return f"SELECT coalesce(sum({self.columns[0]}), 0) FROM {self._name} WHERE {self.total_condition}"  # noqa: S608

    @property
    def compact_sql(self) -> str:
        """The statement that adds the rows of each block up into one.

        It leaves a block with one row alone. Rows that another run takes at the same time are simply gone when it is this one's
        turn.
        """
        name, blocks = self._name, ", ".join(self.block_columns)
        several = f"(SELECT count(*) FROM {name}) > 1"  # noqa: S608
        if blocks:
            several = f"({blocks}) IN (SELECT {blocks} FROM {name} GROUP BY {blocks} HAVING count(*) > 1)"  # noqa: S608
        sums = ", ".join([*self.block_columns, *(f"sum({column})" for column in self.columns)])
        grouped = f"GROUP BY {blocks}" if blocks else "HAVING count(*) > 0"
        return (
            f"WITH gone AS (DELETE FROM {name} WHERE {several} RETURNING {self._all_columns}) "  # noqa: S608
            f"INSERT INTO {name} ({self._all_columns}) SELECT {sums} FROM gone {grouped}"
        )

    def total(self) -> int:
        """Returns the number of rows as this transaction sees it."""
        with connection.cursor() as cursor:
            cursor.execute(self.total_sql)
            return int(cursor.fetchone()[0])

    def compact(self) -> int:
        """Add the rows of each block up into one. Returns how many blocks had several. Any number of runs may overlap."""
        with connection.cursor() as cursor:
            cursor.execute(self.compact_sql)
            return int(cursor.rowcount)

    @transaction.atomic
    def repair(self) -> tuple[int, int]:
        """Count all rows afresh while no transaction can write them.

        Returns the total before and after. They differ only where rows were changed while a trigger was off.
        """
        counted = self.counted._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {counted} IN SHARE MODE")
            before = self.total()
            cursor.execute(f"DELETE FROM {self._name}")  # noqa: S608
            count = self.count_sql or f"SELECT count(*) FROM {counted}"  # noqa: S608
            cursor.execute(f"INSERT INTO {self._name} ({self._all_columns}) {count}")
        return before, self.total()

    @property
    def _name(self) -> str:
        return str(self.table._meta.db_table)

    @property
    def _all_columns(self) -> str:
        return ", ".join([*self.block_columns, *self.columns])
