"""What `make run` prints: one line a step, with its time; plain text, so that a log file reads as well as a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Progress:
    """Steps of a start, numbered, and the seconds since it began."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step before it begins and say how long it took. What it says itself stands between, indented."""
        self.number += 1
        began = time.monotonic()
        self.line(f"{self.number}. {title} ...")
        yield
        self.line(f"   done in {time.monotonic() - began:.1f} s")

    def detail(self, text: str) -> None:
        self.line(f"   {text}")

    def line(self, text: str) -> None:
        with suppress(OSError):  # a closed pipe or terminal stops nobody's system
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began
