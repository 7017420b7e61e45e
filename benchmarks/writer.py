"""A writer for the test of the total: inserts, deactivations and rollbacks in any order. Its orders come as JSON."""

# ruff: noqa: S311, S608 (nothing here is secret; table names are our own)

import json
import random
import sys

import psycopg

ACTS = {"insert": 5, "deactivate": 3, "roll back": 2}


def write(address: str, table: str, insert: str, count: int, seed: int) -> None:
    """So many acts, each a transaction of its own."""
    dice = random.Random(seed)
    toggle = (
        f"UPDATE {table} SET is_active = NOT is_active WHERE id = (SELECT id FROM {table} ORDER BY seq DESC LIMIT 1 OFFSET %s)"
    )
    with psycopg.connect(address) as connection:
        for act in dice.choices(list(ACTS), list(ACTS.values()), k=count):
            if act == "deactivate":
                connection.execute(toggle, [dice.randrange(50)])
            else:
                connection.execute(insert)
            if act == "roll back":
                connection.rollback()
            connection.commit()


if __name__ == "__main__":
    write(**json.load(sys.stdin))
