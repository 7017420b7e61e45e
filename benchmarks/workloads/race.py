"""Thirty-two at once at one slot, and at thirty-two slots of one doctor; with Redis and without."""

import time
from collections import Counter

import psycopg

from benchmarks import databases, schedules, slots
from benchmarks.driver import Driver
from benchmarks.measure import Request
from benchmarks.outcome import Check, Row
from benchmarks.slots import Slots
from benchmarks.stage import APPLICATION, Stage, Web, free_port, sign_in

CLIENTS = 32
STATISTICS_DELAY = 2.5  # seconds until PostgreSQL's processes have reported their counts


def run(stage: Stage) -> list[Row]:
    nowhere = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    environment = databases.environment(databases.name(stage.options.rows)) | nowhere
    deaf = stage.serve("bench-without-redis", APPLICATION, environment, "/health/ready")
    token = sign_in(stage.full)  # sessions live in the database: it is good at both
    return [_race(stage, name, web, token) for name, web in (("", stage.full), (", Redis stopped", deaf))]


def _race(stage: Stage, name: str, web: Web, token: str) -> Row:
    before = _deadlocks(stage.address)
    with Slots(stage.loaded, stage.address).kept() as here:
        places = iter(range(10**9))
        rounds = stage.options.race_rounds
        one = [_answers(web, token, _wanted(here, [next(places)] * CLIENTS)) for _ in range(rounds)]
        many = [_answers(web, token, _wanted(here, [next(places) for _ in range(CLIENTS)])) for _ in range(rounds)]
        met = slots.overlaps(stage.address)
    false = sum(CLIENTS - seen["201"] - seen["409"] + (seen["201"] != 1) for seen in one) + sum(
        CLIENTS - seen["201"] for seen in many
    )
    time.sleep(STATISTICS_DELAY)
    stuck = _deadlocks(stage.address) - before
    attempts = f"of {2 * rounds * CLIENTS}"
    checks = [Check("overlaps = 0", str(met), met == 0), Check("false refusals = 0", f"{false} {attempts}", false == 0)]
    checks.append(Check("deadlocks = 0", str(stuck), stuck == 0))
    answers = sum((*one, *many), start=Counter())
    note = f"{CLIENTS} clients, {rounds} rounds: one slot, and as many free slots of one doctor. Answers: {dict(answers)}."
    return Row(f"book, races{name}", checks=checks, notes=[note])


def _wanted(here: Slots, places: list[int]) -> list[Request]:
    """Bookings of the first doctor at these places, each for another patient."""
    patients = here.patients[-CLIENTS:]
    return [
        slots.booking(schedules.doctor_id(0), patients[number % len(patients)] or "", slots.time_of(place))
        for number, place in enumerate(places)
    ]


def _answers(web: Web, token: str, wanted: list[Request]) -> Counter[str]:
    """All sent at once, each once: how often each status came."""
    sent = [[one.method, one.path, {"Authorization": f"Bearer {token}", **one.headers}, one.body] for one in wanted]
    driver = Driver(web.port, len(sent), 0.0, sent)
    driver.run()
    return driver.statuses


def _deadlocks(address: str) -> int:
    with psycopg.connect(address) as database:
        row = database.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    return row[0] if row else 0
