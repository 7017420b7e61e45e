"""The list of patients, near and deep, and one patient."""

import json

from benchmarks.measure import Cost, Request
from benchmarks.outcome import Row, against, answered, at_most, grows
from benchmarks.stage import Stage, Web, ask, sign_in

LIMIT = 20
ASKED_FOR = 200  # different patients
DEEP = 0.8  # how far down the deep page lies: page 40,000 of a million patients
FIRST = Request(f"/v1/patients?page=1&limit={LIMIT}")


def first_page(stage: Stage) -> list[Row]:
    """The newest patients and the exact total."""
    targets = {"hims": stage.hims([FIRST]), "floor": stage.bare([Request("/e-list")]), "small": stage.hims_small([FIRST])}
    costs = stage.in_turn(targets)
    hims, floor = costs["hims"], costs["floor"]
    growth = hims.total / costs["small"].total
    checks = [*answered(*costs.values()), against("E", hims, floor, 2.5), at_most("CPU-ms", hims.total, 1.0)]
    checks += [at_most("p95 of eight", hims.p95, 10, " ms"), grows(growth, 1.1)]
    return [Row("list, page 1 and exact total", hims, floor, growth, checks, [_audit_share(stage, hims)])]


def _audit_share(stage: Stage, hims: Cost) -> str:
    """Returns the share of the audit row: the statement that HIMS sends, sent by the floor, less the cost of the floor."""
    costs = stage.in_turn({"audit": stage.bare([Request("/audit")]), "hello": stage.bare([Request("/hello")])})
    row = max(0.0, costs["audit"].total - costs["hello"].total)
    return (
        f"The audit row is {row:.2f} CPU-ms of the list's {hims.total:.2f} ({row / hims.total:.0%}): the INSERT "
        "that HIMS sends, sent and committed by the floor, less the floor's /hello; what Django adds to it is not in that."
    )


def deep_page(stage: Stage) -> list[Row]:
    """A page far down, and the last, next to the first one and to a page whose key is known."""
    pages = {"page at four fifths": DEEP, "last page": 1.0}
    targets = {"first": stage.hims([FIRST]), "floor": stage.bare([_keyset(stage)])}
    for name, share in pages.items():
        targets[name] = stage.hims([_page(stage.full, share)])
        targets[f"{name}, small"] = stage.hims_small([_page(stage.small, share)])
    costs = stage.in_turn(targets)
    return [_deep(name, costs) for name in pages]


def _deep(name: str, costs: dict[str, Cost]) -> Row:
    hims, small = costs[name], costs[f"{name}, small"]
    growth = hims.total / small.total
    checks = [*answered(hims, small, costs["floor"]), against("page 1", hims, costs["first"], 1.3)]
    checks.append(at_most("p95 through page 1's", hims.p95 / costs["first"].p95, 1.5, "x"))
    return Row(f"list, {name}", hims, costs["floor"], growth, checks)


def _page(web: Web, share: float) -> Request:
    """So far down the list of this server."""
    first = ask(web.port, FIRST.path, token=sign_in(web))
    assert first is not None
    pages = json.loads(first)["data"]["pagination"]["pages"]
    return Request(f"/v1/patients?page={max(1, int(pages * share))}&limit={LIMIT}")


def _keyset(stage: Stage) -> Request:
    return Request(f"/before?seq={stage.loaded.first_seq + int(stage.options.rows * (1 - DEEP))}")


def detail(stage: Stage) -> list[Row]:
    """One patient in full."""
    ids = [person["id"] for person in stage.loaded.sample(ASKED_FOR)]
    few = [person["id"] for person in stage.loaded_small.sample(ASKED_FOR)]
    targets = {
        "hims": stage.hims([Request(f"/v1/patients/{one}") for one in ids]),
        "floor": stage.bare([Request(f"/e-detail?id={one}") for one in ids]),
        "small": stage.hims_small([Request(f"/v1/patients/{one}") for one in few]),
    }
    costs = stage.in_turn(targets)
    hims, floor = costs["hims"], costs["floor"]
    growth = hims.total / costs["small"].total
    checks = [*answered(*costs.values()), against("E", hims, floor, 2.5)]
    return [Row("one patient", hims, floor, growth, checks)]
