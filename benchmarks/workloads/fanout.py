"""Notifies a hundred thousand users, next to COPY and bulk_create; and what a person's list costs among the rest."""

# ruff: noqa: S603 (commands are our own)

import json
import subprocess
import sys
from typing import Any

import psycopg

from benchmarks import databases
from benchmarks.measure import percentile
from benchmarks.outcome import Row, at_least, at_most
from benchmarks.stage import Stage
from benchmarks.workloads import boot
from hims.launch import paths
from hims.launch.errors import CannotStart

CROWD, READERS = 100_000, 500
A_PATIENT = 5  # existing notifications

_PEOPLE = """
INSERT INTO accounts_user (id, created_at, updated_at, username, email, first_name, last_name, role, is_active, password,
                           password_needs_mfa, security_stamp)
SELECT gen_random_uuid(), now(), now(), %(name)s || n, %(name)s || n || '@bench.test', 'A', 'B', 'nurse', true, '!',
       false, gen_random_uuid()
FROM generate_series(1, %(count)s) AS n
"""
_MESSAGES = """
INSERT INTO notifications_message (id, type, title, message, priority, category, action_url, part, recipient_count, created_at)
SELECT gen_random_uuid(), 'info', 'Notice ' || n, repeat('What there is to say. ', 5), 'medium', 'system', '', '', 500,
       now() - n * interval '1 minute'
FROM generate_series(1, %(count)s) AS n
"""
_COPIES = """
INSERT INTO notifications_notification (id, message_id, user_id, created_at, read_at)
SELECT gen_random_uuid(), m.id, u.id, m.created_at, CASE WHEN m.created_at < now() - interval '50 minutes' THEN now() END
FROM notifications_message m CROSS JOIN accounts_user u WHERE u.username LIKE 'reader%%' ORDER BY m.created_at
"""


def run(stage: Stage) -> list[Row]:
    boot.migrate()
    existing = _fill(stage.options.rows * A_PATIENT)
    measured = _measure_fanout(stage.options.rounds)
    databases.drop(databases.SCRATCH)
    best = {way: percentile(rates, 50) for way, rates in measured["speeds"].items()}
    checks = [at_least("through COPY", best["service"] / best["copy"], 0.7, "x")]
    checks += [at_least("through bulk_create", best["service"] / best["bulk_create"], 5, "x")]
    speeds = ", ".join(f"{way} {speed:,.0f}" for way, speed in best.items())
    reads = [at_most("unread count p50", percentile(measured["waits"]["unread"], 50), 1.0, " ms")]
    notes = [
        f"{name} p50 {percentile(took, 50):.2f}, p95 {percentile(took, 95):.2f} ms." for name, took in measured["waits"].items()
    ]
    return [
        Row(f"telling {CROWD:,}", checks=checks, notes=[f"Rows a second: {speeds}."]),
        Row(
            f"notifications, {existing:,} existing",
            checks=reads,
            notes=[*notes, "Through Django, with the time it takes itself."],
        ),
    ]


def _fill(wanted: int) -> int:
    """Writes the readers and their notifications. Returns how many notifications."""
    messages = max(100, wanted // READERS)
    with psycopg.connect(databases.address(databases.SCRATCH), autocommit=True) as database:
        database.execute(_PEOPLE, {"name": "crowd", "count": CROWD})
        database.execute(_PEOPLE, {"name": "reader", "count": READERS})
        database.execute(_MESSAGES, {"count": messages})
        database.execute(_COPIES)
        database.execute("VACUUM ANALYZE")
    return messages * READERS


def _measure_fanout(rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.notification_rates", str(rounds)]
    environment = databases.environment(databases.SCRATCH)
    done = subprocess.run(command, cwd=paths.PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"The teller gave up: {done.stderr[-1000:]}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
