"""`make drill`, `make drill ONLY=R3`: each drill on a fresh system; prints each promise next to what was seen."""

# ruff: noqa: S603, S607 (the commands are our own constants)

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.drills import system
from benchmarks.drills.faults import DRILLS, NEEDS_SMALL_DISK, Check
from hims.launch import paths
from hims.launch.errors import CannotStart

RESULTS = paths.PROJECT / "benchmarks" / "DRILLS.md"
SMALL_DISK_MB = 900  # holds a new system with sample data, its write-ahead log and some load


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 1 where a promise was broken or a drill could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drills", description="Runs fault drills; see docs/drills.md.")
    parser.add_argument("--only", default="", help=f"some of {','.join(DRILLS)}")
    chosen = parser.parse_args(arguments).only
    names = chosen.split(",") if chosen else list(DRILLS)
    if unknown := set(names) - set(DRILLS):
        parser.error(f"there is no drill {', '.join(sorted(unknown))}; known are {', '.join(DRILLS)}")
    with tempfile.TemporaryDirectory(prefix="hims-drill-", ignore_cleanup_errors=True) as place:
        template = Path(place) / "data"
        template.parent.chmod(0o755)  # the servers' user passes through
        _say("Preparing a system with sample data ...")
        with system.running(system.free_port(), template):
            pass
        results = {name: _run(name, template) for name in names}
    if not chosen:
        RESULTS.write_text(_table(results))
    return 0 if all(check.kept for checks in results.values() for check in checks) else 1


def _run(name: str, template: Path) -> Sequence[Check]:
    title, drill = DRILLS[name]
    _say(f"{name}  {title}")
    try:
        with _folder(name) as folder:
            subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
            with system.running(system.free_port(), folder) as running:
                checks = drill(running)
    except (CannotStart, PermissionError, subprocess.CalledProcessError) as error:
        checks = [Check("the drill can be run", str(error), False)]
    for check in checks:
        _say(f"   {'kept  ' if check.kept else 'BROKEN'}  {check.promise}: {check.seen}")
    return checks


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """A data folder of its own; for the drills that need it a small file system, which root alone can make."""
    with tempfile.TemporaryDirectory(prefix="hims-drill-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        folder.chmod(0o755)  # the servers' user passes through
        if name not in NEEDS_SMALL_DISK:
            yield folder / "data"
            return
        if os.geteuid() != 0:
            raise PermissionError("only root can mount the small file system that this drill fills")
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m,mode=755", "tmpfs", place]
        subprocess.run(mount, check=True)
        try:
            yield folder / "data"
        finally:
            subprocess.run(["umount", "--lazy", place], check=False)


def _table(results: dict[str, Sequence[Check]]) -> str:
    """Returns the results as the page that is stored next to the benchmarks."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=paths.PROJECT, capture_output=True, text=True, check=False
    )
    lines = [
        "# Fault drills: what was seen",
        "",
        f"Written by `make drill` on {datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}, {os.cpu_count()} processors.",
        "",
        "| drill | fault | promise | seen | kept |",
        "|---|---|---|---|---|",
    ]
    for name, checks in results.items():
        title = DRILLS[name][0]
        lines += [f"| {name} | {title} | {one.promise} | {one.seen} | {'yes' if one.kept else '**no**'} |" for one in checks]
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
