"""Misspelt names: is the right one among the first twenty, and how long does the database look for it."""

# ruff: noqa: S311 (nothing here is secret, and all of it must come out the same every time)

import random
import string
from urllib.parse import quote

import psycopg

from apps.patients import rules
from benchmarks import statements
from benchmarks.measure import percentile
from benchmarks.outcome import Row, at_least, at_most
from benchmarks.stage import Stage

COUNT = 150
SHORTEST = 4
_SOURCES = 3_000  # patients whose names are drawn from


def run(stage: Stage) -> list[Row]:
    dice = random.Random("typos")
    hits, took = 0, []
    with psycopg.connect(stage.address, autocommit=True) as database:
        for word in _words(stage, dice):
            answer = statements.capture(f"/v1/patients?search={quote(misspelt(word, dice))}&page=1&limit=20", stage.token)
            hits += _has(answer.data["data"]["patients"], word)
            took.append(min(statements.timed(database, answer.work) for _ in range(3)))
    checks = [at_least("right name among the first 20", hits / COUNT, 0.97), at_most("SQL p95", percentile(took, 95), 8, " ms")]
    return [Row(f"search, {COUNT} names with one wrong letter", checks=checks, notes=[f"SQL p50 {percentile(took, 50):.2f} ms."])]


def misspelt(word: str, dice: random.Random) -> str:
    """The word with one letter left out, put in, changed, or two neighbours swapped; never the word itself."""
    place, letter = dice.randrange(len(word)), dice.choice(string.ascii_lowercase)
    before, after = word[:place], word[place + 1 :]
    swapped = before + after[:1] + word[place] + after[1:]
    wrong = dice.choice((before + after, before + letter + word[place:], before + letter + after, swapped))
    return wrong if wrong != word else misspelt(word, dice)


def _words(stage: Stage, dice: random.Random) -> list[str]:
    crowd = stage.loaded.sample(_SOURCES)
    words = {word for one in crowd for name in ("first_name", "last_name") for word in rules.words(one[name] or "")}
    long = sorted(word for word in words if len(word) >= SHORTEST)
    return [dice.choice(long) for _ in range(COUNT)]


def _has(patients: list[dict[str, str]], word: str) -> bool:
    return any(word in rules.words(f"{one['first_name']} {one['last_name']}") for one in patients)
