"""Reading and changing the table of a row counter, past its triggers."""

from typing import Any

from django.db import connection

from apps.common.row_counters import RowCounter


def rows(counter: RowCounter) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counter.all_columns} FROM {counter.table}")
        return list(cursor.fetchall())


def add_row(counter: RowCounter, **values: int) -> None:
    places = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {counter.table} ({', '.join(values)}) VALUES ({places})", [*values.values()])
