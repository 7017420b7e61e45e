"""Eight clients with mixed work, and the history of every request they made."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from benchmarks.drills.system import System

CLIENTS = 8
PAUSE = 0.05  # seconds between two requests of one client
RETRY = 0.2  # seconds before a client whose connection was refused asks again
NO_REPLY = 0  # the status of a request whose connection ended without a reply
DOCTORS = ("doctor_001", "doctor_002", "doctor_003")
FIRST_SLOT = datetime(2031, 1, 6, 8, tzinfo=UTC)
SLOT = timedelta(minutes=15)


@dataclass(frozen=True)
class Done:
    """One request: when it began and ended (seconds of the monotonic clock), what it was, and how it ended."""

    began: float
    ended: float
    kind: str
    status: int
    retry_after: bool = False


@dataclass
class History:
    """All requests of a drill, and the rows that the system acknowledged with a 2xx."""

    done: list[Done] = field(default_factory=list)
    patients: set[str] = field(default_factory=set)
    appointments: set[str] = field(default_factory=set)

    def statuses(self, *, since: float = 0.0, until: float = float("inf"), kind: str = "") -> Counter[int]:
        """Returns how often each status occurred among the requests that ended in a period."""
        return Counter(one.status for one in self.done if since <= one.ended < until and one.kind.startswith(kind))

    def failures(self, **period: Any) -> int:
        """Returns how many requests of a period got a 5xx or no reply."""
        return sum(number for status, number in self.statuses(**period).items() if status >= 500 or status == NO_REPLY)

    def last_failure(self) -> float:
        """Returns when the last failed request ended; 0 where none failed."""
        return max((one.ended for one in self.done if one.status >= 500 or one.status == NO_REPLY), default=0.0)


class Clients:
    """Clients that work until they are stopped. Use as a context manager."""

    def __init__(self, system: System, *, pause: float = PAUSE) -> None:
        self.system = system
        self.pause = pause
        self.history = History()
        self.token = system.sign_in("reception.kim")
        self._slots = count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(CLIENTS)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self, number: int) -> None:
        turns: list[Callable[[], None]] = [
            self._book,
            lambda: self._read("list", "/v1/patients?limit=20"),
            self._register,
            lambda: self._read("search", "/v1/patients?search=john"),
            lambda: self._read("detail", "/v1/patients/patient_001"),
            lambda: self._read("schedule", "/v1/appointments?doctor_id=doctor_001&limit=20"),
            lambda: self._read("page", "/admin/login/"),
        ]
        for turn in count(number):
            if self._over.is_set():
                return
            turns[turn % len(turns)]()
            self._over.wait(self.pause)

    def _read(self, kind: str, path: str) -> None:
        self._send(kind, "GET", path)

    def _register(self) -> None:
        name = uuid4().hex[:12]
        body = {"first_name": "Drill", "last_name": name, "date_of_birth": "1980-05-15", "gender": "other"}
        status, reply = self._send("register", "POST", "/v1/patients", body)
        if status == 201:
            self.history.patients.add(reply["data"]["patient"]["id"])

    def _book(self) -> None:
        """Books a doctor's next free time. No other client asks for it, so a refusal would be a false one."""
        if not self.history.patients:
            return self._register()
        place, number = divmod(next(self._slots), len(DOCTORS))
        at = FIRST_SLOT + place * SLOT
        patients = list(self.history.patients)
        body = {
            "patient_id": patients[(place * len(DOCTORS) + number) % len(patients)],
            "doctor_id": DOCTORS[number],
            "scheduled_time": at.isoformat().replace("+00:00", "Z"),
        }
        status, reply = self._send("book", "POST", "/v1/appointments", body)
        if status == 201:
            self.history.appointments.add(reply["data"]["appointment"]["id"])
        return None

    def _send(self, kind: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if kind != "page" else {}
        began = time.monotonic()
        status, reply, received = self.system.request(method, path, body, headers)
        if status == NO_REPLY:
            self._over.wait(RETRY)
        self.history.done.append(Done(began, time.monotonic(), kind, status, "retry-after" in received))
        return status, reply
