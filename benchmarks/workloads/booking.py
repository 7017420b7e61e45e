"""Booking: what one costs, how many a second, and what the constraints against double bookings cost."""

from contextlib import ExitStack

from benchmarks import booking_tables, databases, measure, pgbench, slots
from benchmarks.measure import percentile
from benchmarks.outcome import Check, Row, against, answered, at_most, grows
from benchmarks.slots import Slots
from benchmarks.stage import Stage, sign_in

CLIENTS = (1, 8, 32)


def run(stage: Stage) -> list[Row]:
    small = databases.address(databases.name(stage.options.small))
    with ExitStack() as stack:
        here = stack.enter_context(Slots(stage.loaded, stage.address).kept())
        there = stack.enter_context(Slots(stage.loaded_small, small).kept())
        rows = [_cost(stage, here, there), _speed(stage, here)]
    return [*rows, guard(stage)]


def _cost(stage: Stage, here: Slots, there: Slots) -> Row:
    targets = {
        "hims": stage.fresh(stage.full, here.bookings, sign_in(stage.full)),
        "floor": stage.fresh(stage.floor, here.bare("e-book")),
        "W": stage.fresh(stage.floor, here.bare("w-book")),
        "small": stage.fresh(stage.small, there.bookings, sign_in(stage.small)),
    }
    costs = stage.in_turn(targets)
    hims, floor = costs["hims"], costs["floor"]
    growth = hims.total / costs["small"].total
    checks = [*answered(*costs.values()), against("E", hims, floor, 4), against("W", hims, costs["W"], 2), grows(growth, 1.1)]
    note = "With Idempotency-Key, a patient that the doctor has seen before."
    return Row("book", hims, floor, growth, checks, [note, f"W: {costs['W'].total:.2f} CPU-ms."])


def _speed(stage: Stage, here: Slots) -> Row:
    """Bookings a second over HTTP."""
    target, before = stage.fresh(stage.full, here.bookings, sign_in(stage.full)), slots.booked(stage.address)
    seen = {clients: measure.drive(target, stage.options.seconds, clients) for clients in CLIENTS}
    done = sum(one["statuses"].get("201", 0) for one in seen.values())
    sent = sum(len(one["milliseconds"]) for one in seen.values())
    stood = slots.booked(stage.address) - before
    checks = [Check("every booking is stored", f"{stood} of {sent}", done == sent == stood)]
    notes = [
        f"{clients} clients: {len(one['milliseconds']) / one['seconds']:.0f} bookings/s, "
        f"p95 {percentile(one['milliseconds'], 95):.1f} ms."
        for clients, one in seen.items()
    ]
    return Row("book, over HTTP", checks=checks, notes=notes)


def guard(stage: Stage) -> Row:
    """The service's INSERT into a table with the exclusion constraints and into one without, in turn."""
    booking_tables.create_copies(stage)
    tables = (booking_tables.GUARDED, booking_tables.BARE)
    scripts = {one: pgbench.script(one, booking_tables.spread(one, stage.loaded.schedule.doctors)) for one in tables}
    checks, notes = [], []
    for clients in CLIENTS:
        speeds: dict[str, list[float]] = {one: [] for one in tables}
        for number in range(stage.options.rounds):
            for one in tables[:: 1 if number % 2 else -1]:
                speeds[one].append(
                    pgbench.speed(databases.name(stage.options.rows), scripts[one], clients, stage.options.seconds)
                )
        kept, bare = (percentile(speeds[one], 50) for one in tables)
        checks.append(at_most(f"guard, {clients} clients", bare / kept, 1.7, "x"))
        notes.append(f"{clients} clients: {kept:.0f} inserts/s with the exclusion constraints, {bare:.0f} without.")
    return Row("book, SQL guard", checks=checks, notes=notes)
