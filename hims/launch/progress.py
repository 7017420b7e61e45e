"""The output of `make run`: one line for each step, with its time; plain text, for a terminal as well as a log file."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Progress:
    """The numbered steps of a start, and the seconds since it began."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Prints a step before it begins, and afterwards how long it took. Its own output is between the two, indented."""
        self.number += 1
        began = time.monotonic()
        self.line(f"{self.number}. {title} ...")
        yield
        self.line(f"   done in {time.monotonic() - began:.1f} s")

    def detail(self, text: str) -> None:
        self.line(f"   {text}")

    def line(self, text: str) -> None:
        with suppress(OSError):  # a closed pipe or terminal must not stop the system
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began
