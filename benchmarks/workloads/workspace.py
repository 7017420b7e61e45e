"""The pages of one patient with 2,000 entries in the chart: what they cost, their statements, and the time that these take.

The floor of a page is the same page for a chart of 20 entries, in the same rounds: the ratio says what a long chart costs.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from uuid import UUID

import psycopg
from django.conf import settings
from django.test import Client
from django.urls import reverse

from benchmarks import databases, long_charts
from benchmarks.measure import Request, Target
from benchmarks.outcome import Row, answered, at_most
from benchmarks.stage import Stage
from benchmarks.workloads import desk

MOST = 25  # statements of a page
READERS: Mapping[str, tuple[str, ...]] = {  # the pages that each opens
    "dr.smith": ("summary", "visits", "appointments", "record"),
    "nurse.jones": ("summary",),
    "reception.kim": ("details",),
}


def run(stage: Stage) -> list[Row]:
    """A row for each page: CPU of the page, SQL of its reads, growth from a hundredth of the patients."""
    small = databases.address(databases.name(stage.options.small))
    with ExitStack() as stack:
        stack.enter_context(long_charts.kept(stage.address, small))
        full, few = [stack.enter_context(psycopg.connect(one, autocommit=True)) for one in (stage.address, small)]
        rows = []
        for username, pages in READERS.items():
            client = desk.signed_in(username)
            for page in pages:
                sent = desk.opened(client, {page: _address(page, long_charts.LONG)})
                sql = desk.row(f"workspace, {username}: {page}", sent, full, few, most=MOST)
                rows.append(_measured(stage, client, page, sql))
        return rows


def _measured(stage: Stage, client: Client, page: str, sql: Row) -> Row:
    """The row with what the page costs."""
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}

    def target(patient: UUID) -> Target:
        return replace(stage.bare([Request(_address(page, patient))]), port=stage.full.port, web=stage.full.pid, headers=cookie)

    costs = stage.in_turn({"long": target(long_charts.LONG), "short": target(long_charts.SHORT)})
    long, short = costs["long"], costs["short"]
    checks = [*answered(long, short), *sql.checks, at_most("a chart of 20 entries", long.total / short.total, 1.5, "x")]
    return replace(sql, hims=long, floor=short, checks=checks, notes=())


def _address(page: str, patient: UUID) -> str:
    if page == "record":
        return f"{reverse('admin:patients_chartentry_changelist')}?patient={patient}"
    return reverse(f"admin:patients_patient_{page}", args=[patient])
