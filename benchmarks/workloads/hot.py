"""Thirty-two who book one doctor: one statement and its constraints, next to locking the doctor's row."""

from benchmarks import booking_tables, databases, pgbench, schedules
from benchmarks.measure import percentile
from benchmarks.outcome import Row, at_least
from benchmarks.stage import Stage

CLIENTS = 32


def run(stage: Stage) -> list[Row]:
    booking_tables.create_copies(stage)
    scripts = {
        "HIMS": pgbench.script("hot", booking_tables.hot(booking_tables.GUARDED)),
        "FOR UPDATE": pgbench.script("hot-in-line", booking_tables.hot_in_line(booking_tables.BARE, schedules.doctor_id(0))),
    }
    speeds: dict[str, list[float]] = {way: [] for way in scripts}
    for number in range(stage.options.rounds):
        for way in list(scripts)[:: 1 if number % 2 else -1]:
            speed = pgbench.speed(databases.name(stage.options.rows), scripts[way], CLIENTS, stage.options.seconds)
            speeds[way].append(speed)
    ours, theirs = (percentile(speeds[way], 50) for way in scripts)
    note = f"{ours:.0f} attempts/s by INSERT … ON CONFLICT DO NOTHING, {theirs:.0f} by SELECT … FOR UPDATE, look, INSERT."
    return [Row("book, one hot doctor", checks=[at_least("through SELECT FOR UPDATE", ours / theirs, 4, "x")], notes=[note])]
