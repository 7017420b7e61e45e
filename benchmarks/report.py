"""The table: on the screen after each workload, and in RESULTS.md with what earlier runs of the same size found."""

import json
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Cost
from benchmarks.options import WORKLOADS, Options
from benchmarks.outcome import Check, Row
from hims.launch import paths

HEAD = ("workload", "HIMS: app + PG (Redis) CPU-ms", "floor", "ratio", "goals", "p50 / p95 ms", "growth")
_INTRODUCTION = """# What HIMS costs

Written by `make bench`; [docs/benchmarks.md](../docs/benchmarks.md) says how to read it. The unit is CPU milliseconds a request
of web and PostgreSQL processes (Redis in brackets, not in the ratio), the median of the rounds; waits are those of eight clients
at once. The peer (CARE) was measured apart, on this kind of machine with 100,000 patients; "cheaper than the peer's measured N"
divides that N.
"""


class Report:
    """Rows by workload, stored next to the data between runs, so that a run of one workload keeps the others."""

    def __init__(self, options: Options, database: str) -> None:
        self.options = options
        self.database = database
        self.kept = paths.data_dir() / f"results-{options.rows}.json"
        self.results: dict[str, Any] = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def add(self, workload: str, rows: Sequence[Row]) -> None:
        """Keep, print and write what a workload found."""
        self.results[workload] = {"measured": _stamp(self.options), "rows": [asdict(row) for row in rows]}
        self.kept.write_text(json.dumps(self.results, indent=1))
        self.options.out.write_text(self.text())
        _print(rows)

    def text(self) -> str:
        """RESULTS.md."""
        listed = {name: self.results[name] for name in WORKLOADS if name in self.results}
        rows = [_row(raw) for result in listed.values() for raw in result["rows"]]
        lines = [_INTRODUCTION, f"Machine: {machine()}, {self.database}.\n", _line(HEAD), _line(["---"] * len(HEAD))]
        lines += [_line(cells(row, "<br>")) for row in rows]
        lines += ["\nMeasured:\n"]
        lines += [_line(("workload", "patients", "when", "commit", "rounds")), _line(["---"] * 5)]
        lines += [_line((name, *_measured(result["measured"]))) for name, result in listed.items()]
        notes = [f"- {row.name}: {note}" for row in rows for note in row.notes]
        return "\n".join([*lines, "\nNotes:\n", *notes]) + "\n"


def cells(row: Row, newline: str) -> tuple[str, ...]:
    """A row of the table; an empty cell where there is nothing to say."""
    return (
        row.name,
        _cost(row.hims),
        _cost(row.floor),
        f"{row.ratio:.2f}" if row.ratio else "",
        newline.join(map(str, row.checks)),
        f"{row.hims.p50:.1f} / {row.hims.p95:.1f}" if row.hims else "",
        f"{row.growth:.2f}" if row.growth else "",
    )


def machine() -> str:
    """The processor, cores, memory and programs."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    cores = len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    named = processor[1] if processor else platform.machine()
    room = int(memory[1]) / 1024**2 if memory else 0
    return f"{named}, {cores} cores, {room:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def _print(rows: Sequence[Row]) -> None:
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*cells(row, "\n"))
    console = Console(width=None if Console().is_terminal else 180)
    console.print(table)
    for row in rows:
        for note in row.notes:
            console.print(f"{row.name}: {note}", highlight=False)


def _cost(cost: Cost | None) -> str:
    return f"{cost.app:.2f} + {cost.postgres:.2f} = {cost.total:.2f} ({cost.redis:.2f})" if cost else ""


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"


def _row(raw: Mapping[str, Any]) -> Row:
    costs = {name: Cost(**raw[name]) if raw[name] else None for name in ("hims", "floor")}
    return Row(**{**raw, **costs, "checks": [Check(**one) for one in raw["checks"]]})


def _stamp(options: Options) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return {"rows": options.rows, "when": now, "commit": _commit(), "rounds": f"{options.rounds} of {options.seconds:g} s"}


def _measured(stamp: Mapping[str, Any]) -> tuple[str, ...]:
    return f"{stamp['rows']:,}", stamp["when"], stamp["commit"], stamp["rounds"]


def _commit() -> str:
    """Of the checkout, with a plus where files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+"]
    try:
        result = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return "unknown"
    return result.stdout.strip() or "unknown"
