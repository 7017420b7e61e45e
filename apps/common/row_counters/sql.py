"""A row counter and its statements: reading, compacting, comparing and repairing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction


@dataclass(frozen=True)
class RowCounter:
    """A counter's table, and what it counts.

    `table` is the counter's own table, `counted` the table whose rows it counts. Each of the `columns` has the SQL condition
    under which a row counts; an empty condition counts all. The first column is the total. `changes_with` names the columns of
    the counted table that the conditions read: a row that changes in one of them is counted again.

    A counter with blocks counts by ranges of the integer column `block_by` too, which leads to a far page without scanning those
    before it. Level 0 holds ranges of 2 ** `block_bits[0]`, level 1 of 2 ** `block_bits[1]`, and so on.
    """

    table: str
    counted: str
    columns: Mapping[str, str] = field(default_factory=lambda: {"total": ""})
    changes_with: Sequence[str] = ()
    block_by: str = ""
    block_bits: Sequence[int] = ()

    @property
    def all_columns(self) -> str:
        """The columns that a row of the counter has besides its id."""
        return ", ".join([*self._block_columns, *self.columns])

    @property
    def levels(self) -> str:
        """The levels of the blocks, to join in a FROM clause; empty without blocks."""
        rows = ", ".join(f"({level}, {bits})" for level, bits in enumerate(self.block_bits))
        return f", (VALUES {rows}) levels (level, bits)" if rows else ""

    def counts(self, count: str) -> str:
        """The selected values for `all_columns`. `count` is an aggregate with a place for its filter: "count(*){filter}"."""
        blocks = ["levels.level", f"{self.block_by} >> levels.bits"] if self.block_bits else []
        filters = [f" FILTER (WHERE {condition})" if condition else "" for condition in self.columns.values()]
        return ", ".join([*blocks, *(count.format(filter=condition) for condition in filters)])

    @property
    def grouping(self) -> str:
        """One row per block; without blocks one row, and none where nothing is counted."""
        return "GROUP BY 1, 2" if self.block_bits else "HAVING count(*) > 0"

    @property
    def total_sql(self) -> str:
        """The statement that reads the total."""
        condition = " WHERE level = 0" if self.block_bits else ""
        return f"SELECT coalesce(sum({next(iter(self.columns))}), 0) FROM {self.table}{condition}"

    @property
    def compact_sql(self) -> str:
        """The statement that adds the rows of each block up into one.

        It leaves a block with one row alone. If another run takes rows at the same time, this run finds them gone and leaves
        them out.
        """
        blocks = ", ".join(self._block_columns)
        several = f"(SELECT count(*) FROM {self.table}) > 1"
        if blocks:
            several = f"({blocks}) IN (SELECT {blocks} FROM {self.table} GROUP BY {blocks} HAVING count(*) > 1)"
        return (
            f"WITH gone AS (DELETE FROM {self.table} WHERE {several} RETURNING {self.all_columns}) "
            f"INSERT INTO {self.table} ({self.all_columns}) SELECT {self._sums} FROM gone {self.grouping}"
        )

    def total(self) -> int:
        """Returns the number of rows as this transaction sees it."""
        with connection.cursor() as cursor:
            cursor.execute(self.total_sql)
            return int(cursor.fetchone()[0])

    def compact(self) -> int:
        """Adds the rows of each block up into one. Returns how many blocks had several. Any number of runs may overlap."""
        with connection.cursor() as cursor:
            cursor.execute(self.compact_sql)
            return int(cursor.rowcount)

    def drift(self) -> int:
        """Returns how many blocks differ from a fresh count, without a lock: one statement sees one state of both tables.

        A counter without blocks is one block.
        """
        minus = ", ".join([*self._block_columns, *(f"-{column}" for column in self.columns)])
        wrong = " OR ".join(f"sum({column}) <> 0" for column in self.columns)
        having = f"GROUP BY 1, 2 HAVING {wrong}" if self.block_bits else f"HAVING {wrong}"
        rows = f"SELECT {self.all_columns} FROM {self.table} UNION ALL SELECT {minus} FROM ({self._fresh}) f ({self.all_columns})"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM (SELECT {self._sums} FROM ({rows}) r {having}) d")
            return int(cursor.fetchone()[0])

    @transaction.atomic
    def repair(self) -> tuple[int, int]:
        """Counts all rows afresh while no other transaction can write them or the counter.

        Returns the total before and after. They differ only where rows were changed while a trigger was off.
        """
        with connection.cursor() as cursor:
            # The DELETE does not see the rows that a simultaneous compaction or repair adds. They would count twice.
            cursor.execute(f"LOCK TABLE {self.counted}, {self.table} IN SHARE ROW EXCLUSIVE MODE")
            before = self.total()
            cursor.execute(f"DELETE FROM {self.table}")
            cursor.execute(f"INSERT INTO {self.table} ({self.all_columns}) {self._fresh}")
        return before, self.total()

    @property
    def _fresh(self) -> str:
        return f"SELECT {self.counts('count(*){filter}')} FROM {self.counted}{self.levels} {self.grouping}"

    @property
    def _sums(self) -> str:
        return ", ".join([*self._block_columns, *(f"sum({column})" for column in self.columns)])

    @property
    def _block_columns(self) -> list[str]:
        return ["level", "block"] if self.block_bits else []
