"""The workloads of the benchmark: each measures one thing on a `Stage` and returns rows of the table."""

from collections.abc import Callable, Mapping

from benchmarks.outcome import Row
from benchmarks.stage import Stage
from benchmarks.workloads import (
    appointments,
    booking,
    boot,
    consultation,
    desk,
    fanout,
    follow_up,
    hot,
    race,
    reading,
    search,
    session,
    sql_count,
    total,
    typos,
    workspace,
)

Workload = Callable[[Stage], list[Row]]

ALL: Mapping[str, Workload] = {
    "noop": session.noop,
    "login": session.login,
    "list": reading.first_page,
    "deep-page": reading.deep_page,
    "total": total.run,
    "search": search.run,
    "typos": typos.run,
    "detail": reading.detail,
    "appts": appointments.run,
    "visit": consultation.run,
    "book": booking.run,
    "follow-up": follow_up.run,
    "book-race": race.run,
    "book-hot": hot.run,
    "sql-count": sql_count.run,
    "desk": desk.run,
    "workspace": workspace.run,
    "boot": boot.run,
    "fanout": fanout.run,
}
