"""How many statements a request sends, and that it is as many for a hundred rows as for one."""

from collections import Counter

from benchmarks import statements
from benchmarks.outcome import Check, Row, at_most
from benchmarks.stage import Stage

LIMITS = (1, 20, 100)


def run(stage: Stage) -> list[Row]:
    one = stage.loaded.sample(1)[0]["id"]
    lists = [_count(stage, f"/v1/patients?page=1&limit={limit}") for limit in LIMITS]
    return [_row("list", lists), _row("one patient", [_count(stage, f"/v1/patients/{one}")])]


def _count(stage: Stage, path: str) -> Counter[str]:
    statements.caught(path, stage.token)  # the first request of a process may ask more
    return Counter(statements.kind(text) for text in statements.caught(path, stage.token).sent)


def _row(name: str, counts: list[Counter[str]]) -> Row:
    checks = [at_most("statements", max(count["work"] for count in counts), 2)]
    if len(counts) > 1:
        seen = ", ".join(f"{limit}: {count['work']}" for limit, count in zip(LIMITS, counts, strict=True))
        checks.append(Check("as many for any limit", seen, len({count["work"] for count in counts}) == 1))
    apart = ", ".join(f"{kind} {count}" for kind, count in sorted(counts[0].items()) if kind != "work")
    return Row(f"SQL statements, {name}", checks=checks, notes=[f"counted apart: {apart}."])
