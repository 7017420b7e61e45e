"""Tallies: how many rows a table has, without counting them. Triggers add a line for every change, readers sum
the lines up, and a worker keeps them few."""

from django.db import connection


def compact_statement(table: str, column: str) -> str:
    """The statement that adds the lines of a tally up into one.

    Lines that another fold takes at the same time are simply gone when it is our turn: another's line has them then.
    """
    return f"""
WITH gone AS (DELETE FROM {table} WHERE (SELECT count(*) FROM {table}) > 1 RETURNING {column})
INSERT INTO {table} ({column}) SELECT sum({column}) FROM gone HAVING count(*) > 0
"""  # noqa: S608 (names of our own)


def compact(statement: str) -> int:
    """Run it. Answers whether there were several lines. Any number may run at once."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount
