"""Statements as fast as PostgreSQL takes them, by its own program."""

# ruff: noqa: S603 (commands are our own)

import re
import subprocess
from pathlib import Path

from hims.launch import binaries, paths
from hims.launch.errors import CannotStart


def script(name: str, text: str) -> Path:
    """A script for `speed`; each run of it counts as one."""
    path = paths.data_dir() / f"{name}.sql"
    path.write_text(text)
    path.chmod(0o644)
    return path


def speed(database: str, script: Path, clients: int, seconds: float) -> float:
    """Runs of the script a second. Raises CannotStart without the program or where a run fails."""
    program = binaries.find_postgres().folder / "pgbench"
    if not program.exists():
        raise CannotStart(f"There is no pgbench in {program.parent}: writes cannot be measured.")
    where = f"-h {paths.socket_dir()} -p {paths.POSTGRES_PORT} -U {paths.DATABASE} {database}"
    load = f"-n -M prepared -c {clients} -j {min(clients, 2)} -T {max(1, round(seconds))} -f"
    result = subprocess.run(
        [str(program), *load.split(), str(script), *where.split()], capture_output=True, text=True, check=False
    )
    match = re.search(r"tps = ([\d.]+)", result.stdout)
    if match is None or result.returncode:
        raise CannotStart(f"pgbench failed: {result.stderr[-1000:]}")
    return float(match[1])
