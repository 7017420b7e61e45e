"""A consultation: begun, a step of it saved, read, and listed; its cost, and how many statements it sends."""

from collections import Counter
from contextlib import ExitStack
from urllib.parse import urlencode

from benchmarks import databases, schedules, statements
from benchmarks.load import Loaded
from benchmarks.measure import Request, Target
from benchmarks.open_consultations import OpenConsultations
from benchmarks.outcome import Row, against, answered
from benchmarks.stage import READER, Stage, sign_in

ASKED_FOR = 200  # different visits and doctors
LIST = "/v1/consultations?page=1&limit=20"


def run(stage: Stage) -> list[Row]:
    small = databases.address(databases.name(stage.options.small))
    with ExitStack() as stack:
        here = stack.enter_context(OpenConsultations(stage.loaded, stage.address, READER).kept())
        there = stack.enter_context(OpenConsultations(stage.loaded_small, small, READER).kept())
        costs = []
        for name, targets in _targets(stage, here, there).items():
            here.compact()
            there.compact()
            costs.append(_row(stage, name, targets))
        return [*costs, *_statements(stage, here)]


def _targets(stage: Stage, here: OpenConsultations, there: OpenConsultations) -> dict[str, dict[str, Target]]:
    full, few = sign_in(stage.full), sign_in(stage.small)
    return {
        "start": {
            "hims": stage.fresh(stage.full, here.starts, full),
            "floor": stage.fresh(stage.floor, here.bare_starts),
            "small": stage.fresh(stage.small, there.starts, few),
        },
        "save a step": {
            "hims": stage.fresh(stage.full, here.saves, full),
            "floor": stage.fresh(stage.floor, here.bare_saves),
            "small": stage.fresh(stage.small, there.saves, few),
        },
        "read": {
            "hims": stage.hims([Request(f"/v1/consultations/{one}") for one in here.sample(ASKED_FOR)]),
            "floor": stage.bare([Request(f"/visit-read?{urlencode([('v', one)] * 2)}") for one in here.sample(ASKED_FOR)]),
            "small": stage.hims_small([Request(f"/v1/consultations/{one}") for one in there.sample(ASKED_FOR)]),
        },
        "list, newest": {
            "hims": stage.hims([Request(LIST)]),
            "floor": stage.bare([Request("/visit-list")]),
            "small": stage.hims_small([Request(LIST)]),
        },
        "list of a doctor": {
            "hims": stage.hims([Request(f"{LIST}&doctor_id={one}") for one in _doctors(stage.loaded)]),
            "floor": stage.bare([Request(f"/visit-of-doctor?{urlencode([('v', one)] * 2)}") for one in _doctors(stage.loaded)]),
            "small": stage.hims_small([Request(f"{LIST}&doctor_id={one}") for one in _doctors(stage.loaded_small)]),
        },
    }


def _doctors(loaded: Loaded) -> list[object]:
    return [schedules.doctor_id(number * 7 % loaded.schedule.doctors) for number in range(ASKED_FOR)]


def _row(stage: Stage, name: str, targets: dict[str, Target]) -> Row:
    """The writes have a goal, compared with E; of the others the ratio to the bare statement is printed."""
    costs = stage.in_turn(targets)
    hims, floor = costs["hims"], costs["floor"]
    checks = [*answered(*costs.values()), *([against("E", hims, floor, 6)] if name in ("start", "save a step") else [])]
    return Row(f"visit, {name}", hims, floor, hims.total / costs["small"].total, checks)


def _statements(stage: Stage, here: OpenConsultations) -> list[Row]:
    requests = {
        "start": here.starts(1, 0)[:2],
        "save a step": here.saves(1, 0)[:2],
        "read": [Request(f"/v1/consultations/{one}") for one in here.sample(2)],
        "list": [Request(LIST)] * 2,
    }
    return [_counted(name, [_count(stage, request) for request in twice][-1]) for name, twice in requests.items()]


def _count(stage: Stage, request: Request) -> Counter[str]:
    """The first request of a process may ask more: ask twice."""
    sent = statements.capture(request.path, stage.token, request.body, method=request.method).sent
    return Counter(statements.kind(text) for text in sent)


def _counted(name: str, count: Counter[str]) -> Row:
    apart = ", ".join(f"{kind} {number}" for kind, number in sorted(count.items()) if kind != "work")
    return Row(f"SQL statements, visit, {name}", notes=[f"{count['work']} of its own; counted apart: {apart}."])
