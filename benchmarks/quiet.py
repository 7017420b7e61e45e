"""Whether the machine is free for a measurement: the load, and the share of time in which a program waited for a processor."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from hims.launch.errors import CannotStart

PRESSURE = Path("/proc/pressure/cpu")
MOST = 20.0  # percent of the last minute
PATIENCE = 300.0  # seconds that our own loading may take to fade from the average


def pressure() -> float | None:
    """`cpu some avg60` (Linux PSI) in percent; None where the kernel does not tell."""
    try:
        text = PRESSURE.read_text()
    except OSError:
        return None
    read = re.search(r"^some .*avg60=([0-9.]+)", text, re.MULTILINE)
    return float(read[1]) if read else None


def state() -> str:
    """The load and the pressure in words."""
    waited = pressure()
    known = "pressure unknown (no /proc/pressure/cpu)" if waited is None else f"cpu some avg60 {waited:.0f} %"
    return f"load {os.getloadavg()[0]:.1f}, {known}"


def require(say: Callable[[str], None], *, patience: float = PATIENCE) -> None:
    """Wait until the machine is quiet. Raises CannotStart if it does not become so."""
    until = time.monotonic() + patience
    while (waited := pressure()) is not None and waited > MOST:
        if time.monotonic() >= until:
            raise CannotStart(
                f"Other programs use the processor ({state()}; at most {MOST:.0f} %). --busy measures all the same."
            )
        say(f"waiting for a quiet machine: {state()}")
        time.sleep(min(15.0, patience))
