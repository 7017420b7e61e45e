"""Asking several servers the same thing in turn, and what one request cost each of them."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks import cpu
from hims.launch import paths
from hims.launch.errors import CannotStart

CONNECTIONS = 8
WARM_UP = 0.7  # seconds before the first round, not counted


@dataclass(frozen=True)
class Request:
    """A request. `headers` are its own, in addition to those of the server."""

    path: str
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What a request costs: CPU milliseconds of web server, PostgreSQL and Redis; and the wait of eight who ask at once."""

    app: float
    postgres: float
    redis: float
    p50: float
    p95: float
    requests: int = 0
    failed: int = 0

    @property
    def total(self) -> float:
        """The unit of every ratio: web server and PostgreSQL."""
        return self.app + self.postgres


@dataclass(frozen=True)
class Target:
    """A server to be asked, and the processes whose CPU counts. Where no request may come twice, `requests` makes new ones for
    so many connections and seconds."""

    port: int
    web: int
    postgres: int
    redis: int
    headers: Mapping[str, str]
    requests: Sequence[Request] | Callable[[int, float], Sequence[Request]]


def in_turn(targets: Mapping[str, Target], *, rounds: int, seconds: float, connections: int = CONNECTIONS) -> dict[str, Cost]:
    """Returns the median round of each target. The order is reversed every round, so that none is always first."""
    costs_by_target: dict[str, list[Cost]] = {name: [] for name in targets}
    for target in targets.values():
        drive(target, WARM_UP, connections)
    for number in range(rounds):
        for name in list(targets)[:: 1 if number % 2 == 0 else -1]:
            costs_by_target[name].append(cost(targets[name], seconds, connections))
    return {name: _median(costs) for name, costs in costs_by_target.items()}


def cost(target: Target, seconds: float, connections: int = CONNECTIONS) -> Cost:
    """One round: CPU before, load until the last answer, CPU after."""
    watched = (target.web, target.postgres, target.redis)
    before = [cpu.seconds(pid) for pid in watched]
    seen = drive(target, seconds, connections)
    after = [cpu.seconds(pid) for pid in watched]
    took = seen["milliseconds"]
    app, postgres, redis = [(late - early) * 1000 / len(took) for early, late in zip(before, after, strict=True)]
    failed = sum(count for status, count in seen["statuses"].items() if not status.startswith("2"))
    return Cost(app, postgres, redis, percentile(took, 50), percentile(took, 95), len(took), failed)


def drive(target: Target, seconds: float, connections: int = CONNECTIONS, rate: float | None = None) -> dict[str, Any]:
    """Runs the driver, at `rate` requests a second if one is given. Returns the milliseconds of each request, and how often each
    status came."""
    to_send = target.requests(connections, seconds) if callable(target.requests) else target.requests
    requests = [[one.method, one.path, {**target.headers, **one.headers}, one.body] for one in to_send]
    order = {"port": target.port, "connections": connections, "seconds": seconds, "requests": requests}
    order |= {"rate": rate} if rate else {}
    command = [sys.executable, "-m", "benchmarks.driver"]
    done = subprocess.run(command, input=json.dumps(order), cwd=paths.PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotStart(f"The driver gave up on {to_send[0].path}: {done.stderr[-500:]}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def _median(costs: list[Cost]) -> Cost:
    """The round whose total is the median, with the median of all rounds' waits."""
    middle = sorted(costs, key=lambda one: one.total)[(len(costs) - 1) // 2]
    waits = {name: statistics.median(getattr(one, name) for one in costs) for name in ("p50", "p95")}
    sums = {name: sum(getattr(one, name) for one in costs) for name in ("requests", "failed")}
    return Cost(**{**asdict(middle), **waits, **sums})
