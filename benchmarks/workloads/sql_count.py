"""How many statements a request sends, and that it is as many for a hundred rows as for one."""

from collections import Counter

from benchmarks import slots, statements
from benchmarks.outcome import Check, Row, at_most
from benchmarks.slots import Slots
from benchmarks.stage import Stage
from benchmarks.workloads import appointments

LIMITS = (1, 20, 100)


def run(stage: Stage) -> list[Row]:
    one = stage.loaded.sample(1)[0]["id"]
    lists = [_count(stage, f"/v1/patients?page=1&limit={limit}") for limit in LIMITS]
    requests = appointments.requests(stage.loaded.schedule)
    schedule = requests["doctor"][0].path.removesuffix("limit=20")
    visits = [_count(stage, f"{schedule}limit={limit}") for limit in LIMITS]
    free = [_count(stage, requests["free times of 30 days"][0].path)]
    return [
        _row("list", lists),
        _row("one patient", [_count(stage, f"/v1/patients/{one}")]),
        _row("appointments of a doctor", visits),
        _row("free times", free, most=3),
        _row("book", [_booked(stage)], most=4),
    ]


def _booked(stage: Stage) -> Counter[str]:
    with Slots(stage.loaded, stage.address).kept() as here:
        for _ in range(2):  # the first request of a process may ask more
            request = slots.booking(*here.next())
            sent = statements.capture(request.path, stage.token, request.body, **request.headers).sent
    return Counter(statements.kind(text) for text in sent)


def _count(stage: Stage, path: str) -> Counter[str]:
    statements.capture(path, stage.token)  # the first request of a process may ask more
    return Counter(statements.kind(text) for text in statements.capture(path, stage.token).sent)


def _row(name: str, counts: list[Counter[str]], most: int = 2) -> Row:
    checks = [at_most("statements", max(count["work"] for count in counts), most)]
    if len(counts) > 1:
        seen = ", ".join(f"{limit}: {count['work']}" for limit, count in zip(LIMITS, counts, strict=True))
        checks.append(Check("as many for any limit", seen, len({count["work"] for count in counts}) == 1))
    apart = ", ".join(f"{kind} {count}" for kind, count in sorted(counts[0].items()) if kind != "work")
    return Row(f"SQL statements, {name}", checks=checks, notes=[f"counted apart: {apart}."])
