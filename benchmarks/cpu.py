"""What processes have used, from /proc: Linux only."""

import os
from collections import defaultdict
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _CSTIME = 1, 11, 14  # places in /proc/<pid>/stat after the name, see proc(5)


def seconds(root: int) -> float:
    """CPU seconds of a process, of all that descend from it, and of those it has already buried."""
    return sum(sum(map(int, _stat(pid)[_UTIME : _CSTIME + 1])) for pid in family(root)) / _TICKS


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    children = defaultdict(list)
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and (stat := _stat(int(place.name))):
            children[int(stat[_PPID])].append(int(place.name))
    pids = [root]
    for pid in pids:  # grows while it is walked
        pids += children[pid]
    return pids


def parent(pid: int) -> int:
    return int(_stat(pid)[_PPID])


def resident(pid: int) -> float:
    """MB of memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold blanks; nothing where the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
