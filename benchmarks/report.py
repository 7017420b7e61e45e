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
at once. The rows of one group come from one run of one commit, which its heading names.
"""


class Report:
    """Rows by workload, stored next to the data between runs, so that a run of one workload keeps the others."""

    def __init__(self, options: Options, database: str, conditions: str) -> None:
        self.options = options
        self.conditions = conditions  # of the machine
        self.database = database
        self.kept = paths.data_dir() / f"results-{options.rows}.json"
        self.results: dict[str, Any] = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def add(self, workload: str, rows: Sequence[Row]) -> None:
        """Keep, print and write what a workload found."""
        self.results[workload] = {
            "measured": _stamp(self.options) | {"conditions": self.conditions},
            "rows": [asdict(row) for row in rows],
        }
        self.kept.write_text(json.dumps(self.results, indent=1))
        self.options.out.write_text(self.text())
        _print(rows)

    def text(self) -> str:
        """RESULTS.md."""
        groups = [_group(name, self.results[name]) for name in WORKLOADS if name in self.results]
        return "\n".join([_INTRODUCTION, f"Machine: {machine()}, {self.database}.\n", *groups])


def _group(name: str, result: Mapping[str, Any]) -> str:
    """A workload under the run and the commit that its rows come from."""
    stamp, rows = result["measured"], [_row(raw) for raw in result["rows"]]
    measured = f"{stamp['rows']:,} patients, {stamp['rounds']}, {stamp['when']}, commit {stamp['commit']}"
    heading = f"## {name}: {measured}; {stamp.get('conditions', 'load not noted')}\n"
    lines = [heading, _line(HEAD), _line(["---"] * len(HEAD)), *(_line(cells(row, "<br>")) for row in rows)]
    notes = [f"- {row.name}: {note}" for row in rows for note in row.notes]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


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
    return {"rows": options.rows, "when": now, "commit": _commit(), "rounds": f"{options.rounds} rounds of {options.seconds:g} s"}


def _commit() -> str:
    """Of the checkout, with a plus where files differ from it."""
    command = ["git", "describe", "--always", "--dirty=+"]
    try:
        result = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return "unknown"
    return result.stdout.strip() or "unknown"
