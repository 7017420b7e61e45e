"""From nothing to the first answer: migrations, memory, the first request."""

import time

from benchmarks import cpu, databases, measure
from benchmarks.outcome import Row, at_most
from benchmarks.stage import APPLICATION, Stage, Web, ask, sign_in
from benchmarks.workloads.reading import FIRST

WARM = 5.0  # seconds of load before memory is read
FRESH_CONNECTIONS = 8  # the slowest of so many is the first of some worker


def run(stage: Stage) -> list[Row]:
    seconds = migrate()
    web, first = _start(stage)
    resident = _resident(stage, web)
    checks = [at_most("migrate on an empty database", seconds, 6, " s")]
    checks += [at_most("memory of a worker", resident, 100, " MB"), at_most("first request after ready", first, 200, " ms")]
    return [Row("start", checks=checks)]


def migrate() -> float:
    """Seconds until an empty scratch database is migrated, the program's own start among them."""
    databases.make_anew(databases.SCRATCH)
    began = time.perf_counter()
    databases.run(databases.SCRATCH, "manage.py", "migrate", "--no-input")
    return time.perf_counter() - began


def _start(stage: Stage) -> tuple[Web, float]:
    """A new web server, and the milliseconds of the slowest of the first lists once it says that it lives."""
    token = sign_in(stage.full)  # sessions live in the database: it is good at the new server too
    environment = databases.environment(databases.name(stage.options.rows))
    web = stage.serve("bench-boot", APPLICATION, environment, "/health/live")
    took = []
    for _ in range(FRESH_CONNECTIONS):
        began = time.perf_counter()
        assert ask(web.port, FIRST.path, token=token) is not None
        took.append((time.perf_counter() - began) * 1000)
    return web, max(took)


def _resident(stage: Stage, web: Web) -> float:
    """MB of the larger worker after some load. The server's own process, which answers nothing, is not one."""
    measure.drive(stage.hims([FIRST]), WARM)
    target = stage.hims([FIRST])
    measure.drive(measure.Target(web.port, web.pid, target.postgres, target.redis, target.headers, target.requests), WARM)
    return max(cpu.resident(pid) for pid in cpu.family(web.pid) if pid != web.pid)
