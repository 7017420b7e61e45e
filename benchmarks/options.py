"""What the command line says."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hims.launch import paths

WORKLOADS = (
    *("noop", "login", "list", "deep-page", "total", "search", "typos", "detail"),
    *("appts", "visit", "book", "follow-up", "book-race", "book-hot", "sql-count", "desk", "workspace", "boot", "fanout"),
)
RESULTS = paths.PROJECT / "benchmarks" / "RESULTS.md"


@dataclass(frozen=True)
class Options:
    """How much, how often, how long, and what of it."""

    rows: int = 1_000_000
    rounds: int = 3
    seconds: float = 4.0
    only: Sequence[str] = WORKLOADS
    classes: Sequence[str] = ()
    check_drift: bool = False
    race_rounds: int = 200
    out: Path = RESULTS
    busy: bool = False  # measure although others use the machine

    @property
    def small(self) -> int:
        """A hundredth of the size, for the growth."""
        return max(1, self.rows // 100)


def read(arguments: Sequence[str]) -> Options:
    """The options; leaves the program with a message where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures HIMS next to its floor; see docs/benchmarks.md."
    )
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=Options.rows, help="patients; 1e6 by default")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="rounds of each; the median counts")
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="length of a round")
    parser.add_argument("--only", default="", help=f"some of {','.join(WORKLOADS)}")
    parser.add_argument("--classes", default="", help="some classes of search terms; all by default")
    parser.add_argument("--typos", action="store_true", help="with --only search: the misspelt words too")
    parser.add_argument("--check-drift", action="store_true", help="with total: ten thousand mixed writes, and a writer killed")
    parser.add_argument(
        "--race-rounds", type=int, default=Options.race_rounds, help="with book-race: how often all want one slot"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table goes")
    parser.add_argument("--busy", action="store_true", help="measure although other programs use the processor")
    given = parser.parse_args(arguments)
    only = given.only.split(",") if given.only else [*WORKLOADS]
    if unknown := set(only) - set(WORKLOADS):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}; known are {', '.join(WORKLOADS)}")
    if given.rows < 100 or given.rounds < 1 or given.seconds <= 0:
        parser.error("--rows from 100 up, --rounds from 1 up, --seconds above 0")
    only += ["typos"] if given.typos and "typos" not in only else []
    classes = [] if given.classes in ("", "all") else given.classes.split(",")
    return Options(
        given.rows,
        given.rounds,
        given.seconds,
        only,
        classes,
        given.check_drift,
        given.race_rounds,
        given.out.resolve(),
        given.busy,
    )
