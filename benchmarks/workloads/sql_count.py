"""How many round trips to the database a request makes, all counted, and that it makes as many for a hundred rows as for one."""

from benchmarks import slots, statements
from benchmarks.measure import Request
from benchmarks.open_consultations import OpenConsultations
from benchmarks.outcome import Check, Row, at_most
from benchmarks.slots import Slots
from benchmarks.stage import READER, Stage
from benchmarks.statements import Answer
from benchmarks.workloads import appointments

LIMITS = (1, 20, 100)


def run(stage: Stage) -> list[Row]:
    one = stage.loaded.sample(1)[0]["id"]
    requests = appointments.requests(stage.loaded.schedule)
    schedule = requests["doctor"][0].path.removesuffix("limit=20")
    free = requests["free times of 30 days"][0]
    with Slots(stage.loaded, stage.address).kept() as here:
        booked = _last(stage, [slots.booking(*here.next()) for _ in range(2)])
    with OpenConsultations(stage.loaded, stage.address, READER).kept() as visits:
        saved, started = _last(stage, visits.saves(1, 0)[:2]), _last(stage, visits.starts(1, 0)[:2])
    return [
        _row("list", [_last(stage, [Request(f"/v1/patients?page=1&limit={limit}")] * 2) for limit in LIMITS], 4),
        _row("one patient", [_last(stage, [Request(f"/v1/patients/{one}")] * 2)], 4),
        _row("appointments of a doctor", [_last(stage, [Request(f"{schedule}limit={limit}")] * 2) for limit in LIMITS], 4),
        _row("free times", [_last(stage, [free] * 2)], 5),
        _row("book", [booked], 10),
        _row("save a step", [saved], 9),
        _row("start a visit", [started], 13),
    ]


def _last(stage: Stage, requests: list[Request]) -> Answer:
    """The answer to the last: the first request of a process may ask more."""
    for one in requests:
        answer = statements.capture(one.path, stage.token, one.body, method=one.method, **one.headers)
    return answer


def _row(name: str, answers: list[Answer], most: int) -> Row:
    counts = [answer.round_trips for answer in answers]
    checks = [at_most("round trips", max(counts), most)]
    if len(answers) > 1:
        seen = ", ".join(f"{limit}: {count}" for limit, count in zip(LIMITS, counts, strict=True))
        checks.append(Check("no more for more rows", seen, counts[-1] <= counts[0] + 1))
    return Row(f"round trips, {name}", checks=checks, notes=[f"and {answers[0].redis} to Redis."])
