"""Tallies: how many rows a table has, without counting them. Triggers add a line for every change, readers sum
the lines up, and a worker keeps them few."""

from django.db import connection


def folding(tally: str, counted: str) -> str:
    """The statement that adds the lines of a tally up into one.

    Lines that another fold takes at the same time are simply gone when it is our turn: another's line has them then.
    """
    return f"""
WITH gone AS (DELETE FROM {tally} WHERE (SELECT count(*) FROM {tally}) > 1 RETURNING {counted})
INSERT INTO {tally} ({counted}) SELECT sum({counted}) FROM gone HAVING count(*) > 0
"""  # noqa: S608 (names of our own)


def fold(statement: str) -> int:
    """Run it. Answers whether there were several lines. Any number may run at once."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount
