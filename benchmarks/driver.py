"""The load: so many kept connections, each asking again as soon as it is answered, for so many seconds. A process of its own.

Reads {"port", "connections", "seconds", "requests": [[method, path, headers, body], …]} from standard input, prints what it saw.
With "rate" it sends so many a second instead, over connections that are free.
The connections walk through the requests from different places. Plain sockets and one loop: a twentieth of a millisecond of CPU
a request, so that it disturbs the two cores it shares with what it measures as little as may be.
"""

import json
import re
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
LONGEST = 60.0  # seconds that an answer may take


@dataclass
class Line:
    """One connection, the request it waits on, and what has come of its answer."""

    turn: int
    socket: socket.socket
    sent_at: float = 0.0
    got: bytearray = field(default_factory=bytearray)


class Driver:
    """Keeps the lines busy until the time is over and the last answer is there."""

    def __init__(self, port: int, connections: int, seconds: float, requests: list[list[Any]]) -> None:
        self.port = port
        self.requests = [_bytes(port, *request) for request in requests]
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.selector = selectors.DefaultSelector()
        self.until = time.perf_counter() + seconds
        step = max(1, len(self.requests) // connections)
        self.lines = [Line(number * step, self._open()) for number in range(connections)]

    def run(self) -> None:
        for line in self.lines:
            self.selector.register(line.socket, selectors.EVENT_READ, line)
            self._ask(line)
        while self.selector.get_map():
            ready = self.selector.select(LONGEST)
            if not ready:
                raise TimeoutError(f"no answer for {LONGEST:.0f} s")
            for key, _ in ready:
                self._hear(key.data)

    def _open(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    def _wait(self, seconds: float) -> list[tuple[selectors.SelectorKey, int]]:
        """Returns the lines that can be read, after at most so many seconds."""
        if self.selector.get_map():
            return self.selector.select(seconds)
        time.sleep(seconds)
        return []

    def _ask(self, line: Line) -> None:
        line.got.clear()
        line.sent_at = time.perf_counter()
        line.socket.sendall(self.requests[line.turn % len(self.requests)])
        line.turn += 1

    def _hear(self, line: Line) -> None:
        chunk = line.socket.recv(262_144)
        line.got += chunk
        if chunk and not _is_whole(line.got):
            return
        now = time.perf_counter()
        self.took.append(now - line.sent_at)
        self.statuses[line.got[9:12].decode() or "closed"] += 1
        if not chunk:
            raise ConnectionError("the server closed a connection")
        self._next(line)

    def _next(self, line: Line) -> None:
        if time.perf_counter() < self.until:
            self._ask(line)
        else:
            self.selector.unregister(line.socket)
            line.socket.close()


class PacedDriver(Driver):
    """Asks at a fixed rate, as long as a connection is free: a server that falls behind is seen by the rate that it reaches."""

    def __init__(self, rate: float, **order: Any) -> None:
        super().__init__(**order)
        self.gap = 1 / rate
        self.idle = list(self.lines)

    def run(self) -> None:
        due = now = time.perf_counter()
        while now < self.until or self.selector.get_map():
            if now < self.until and due <= now and self.idle:
                line = self.idle.pop(0)
                self.selector.register(line.socket, selectors.EVENT_READ, line)
                self._ask(line)
                due += self.gap
                now = time.perf_counter()
                continue
            wait = due - now if self.idle and now < self.until else LONGEST
            ready = self._wait(max(0.0, wait))
            if not ready and wait == LONGEST:
                raise TimeoutError(f"no answer for {LONGEST:.0f} s")
            for key, _ in ready:
                self._hear(key.data)
            now = time.perf_counter()
        for line in self.lines:
            line.socket.close()

    def _next(self, line: Line) -> None:
        self.selector.unregister(line.socket)
        self.idle.append(line)


def _is_whole(got: bytearray) -> bool:
    head = got.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(got, 0, head)
    if length is None:
        raise ValueError("an answer without Content-Length")
    return len(got) >= head + 4 + int(length[1])


def _bytes(port: int, method: str, path: str, headers: dict[str, str], body: str) -> bytes:
    raw = body.encode()
    named = {"Host": f"127.0.0.1:{port}", **headers, **({"Content-Length": str(len(raw))} if raw else {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def main() -> None:
    order = json.load(sys.stdin)
    driver = PacedDriver(**order) if "rate" in order else Driver(**order)
    began = time.perf_counter()
    driver.run()
    seen = {"milliseconds": [round(one * 1000, 3) for one in driver.took], "statuses": driver.statuses}
    json.dump({**seen, "seconds": time.perf_counter() - began}, sys.stdout)


if __name__ == "__main__":
    main()
