"""What every request pays before it does anything, and what a sign-in costs."""

import json

from apps.sandbox.samples.staff import PASSWORD, STAFF
from benchmarks import statements
from benchmarks.measure import Request
from benchmarks.outcome import Row, against, answered, at_most
from benchmarks.stage import Stage

NOTHING = "/v1/version"
_SECOND_FACTOR = "mfa.user"


def noop(stage: Stage) -> list[Row]:
    """A request that is authenticated, limited and answered, and asks for nothing."""
    costs = stage.in_turn({"hims": stage.hims([Request(NOTHING)]), "floor": stage.bare([Request("/hello")])})
    hims, floor = costs["hims"], costs["floor"]
    checks = [*answered(hims, floor), at_most("CPU-ms", hims.total, 0.5)]
    checks.append(at_most("Redis round trips", statements.capture(NOTHING, stage.token).redis, 1))
    return [Row("authenticated no-op", hims, floor, checks=checks)]


def login(stage: Stage) -> list[Row]:
    """A sign-in, next to checking only the same hash."""
    names = [member.username for member in STAFF if member.username != _SECOND_FACTOR]
    bodies = [json.dumps({"username": name, "password": PASSWORD}) for name in names]
    hims = stage.hims([Request("/v1/auth/login", "POST", body) for body in bodies])
    floor = stage.bare([Request("/login", "POST", PASSWORD)])
    costs = stage.in_turn({"hims": hims, "floor": floor})
    checks = [*answered(*costs.values()), against("the hash", costs["hims"], costs["floor"], 1.4)]
    return [Row("sign-in", costs["hims"], costs["floor"], checks=checks, notes=["The floor is the hash alone."])]
