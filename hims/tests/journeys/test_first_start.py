"""The whole system, started as a newcomer starts it, used over HTTP, killed, and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent
READY_WITHIN = 120.0  # seconds
PASSWORD = "Sandbox-2025!"
JANE = {
    "mrn": "MRN002",
    "first_name": "Jane",
    "last_name": "Smith",
    "date_of_birth": "1985-03-20",
    "gender": "female",
    "phone": "+1-555-0125",
    "email": "jane.smith@email.com",
    "address": {"street": "456 Oak Ave", "city": "Anytown", "state": "CA", "zip": "12345"},
    "emergency_contact": {"name": "John Smith", "relationship": "spouse", "phone": "+1-555-0126"},
}


class System:
    """`python -m hims.launch`, which is what `make run` does once everything is installed."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HIMS_") and name not in ("DATABASE_URL", "REDIS_URL")
        }
        self.environment = kept | {"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(data), "HIMS_PORT": str(self.port)}
        self.process: subprocess.Popen | None = None
        self.token = ""

    def start(self) -> float:
        """Waits until the system is ready. Returns the seconds that took."""
        begun = time.monotonic()
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hims.launch"], cwd=ROOT, env=self.environment, start_new_session=True
        )
        while time.monotonic() - begun < READY_WITHIN:
            assert self.process.poll() is None, "the launcher ended"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2) as reply:
                    if reply.status == 200:
                        return time.monotonic() - begun
            except OSError:
                time.sleep(0.1)
        raise AssertionError("not ready in time")

    def everybody(self) -> list[int]:
        """The processes that were started with this data folder."""
        mark = f"HIMS_DATA_DIR={self.environment['HIMS_DATA_DIR']}\0".encode()
        process_ids = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes() + b"\0":
                    process_ids.append(int(entry.name))
            except OSError:
                continue
        return process_ids

    def kill_everything(self) -> None:
        for pid in self.everybody():
            with suppress(ProcessLookupError):  # it may have ended by itself since
                os.kill(pid, signal.SIGKILL)
        assert self.process
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def data(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, reply = self.call(method, path, body)
        assert status < 300, reply
        return reply["data"]

    def sign_in(self, username: str) -> dict[str, Any]:
        self.token = ""
        signed_in = self.data("POST", "/auth/login", {"username": username, "password": PASSWORD, "mfa_code": "123456"})
        self.token = signed_in["tokens"]["access_token"]
        return signed_in


@pytest.fixture
def system() -> Iterator[System]:
    with tempfile.TemporaryDirectory(prefix="hims-journey-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the servers' own account must get through to its data
        running = System(Path(folder) / "data")
        try:
            yield running
        finally:
            if running.process and running.process.poll() is None:
                running.stop()
            for pid in running.everybody():
                with suppress(ProcessLookupError):  # it may have ended by itself since
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the system's processes in /proc")
def test_a_newcomer_starts_works_loses_everything_to_a_kill_and_finds_it_again(system: System) -> None:
    system.start()
    user = system.sign_in("dr.smith")["user"]
    assert (user["username"], user["role"], user["first_name"], user["email"]) == (
        "dr.smith",
        "doctor",
        "Dr.",
        "dr.smith@hims.com",
    )

    (john,) = [row for row in system.data("GET", "/patients?search=john%20doe")["patients"] if row["mrn"] == "MRN001"]
    detail = system.data("GET", f"/patients/{john['id']}")["patient"]
    assert detail == system.data("GET", "/patients/patient_001")["patient"]
    assert {"id", "mrn", "demographics", "contact", "emergency_contact", "insurance"} <= set(detail)
    assert detail["contact"] == {
        "phone": "+1-555-0123",
        "email": "john.doe@email.com",
        "address": {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "12345"},
    }
    assert detail["emergency_contact"] == {"name": "Jane Doe", "relationship": "spouse", "phone": "+1-555-0124"}
    assert detail["insurance"] == {"provider": "Blue Cross", "policy_number": "BC123456", "group_number": "GRP001"}
    for kind in ("allergy", "medication", "diagnosis", "lab_result", "vital_sign"):
        rows = system.data("GET", f"/patients/patient_001/medical-history?type={kind}")["records"]
        assert rows
        assert {row["type"] for row in rows} == {kind}

    jane = system.data("POST", "/patients", JANE)["patient"]
    moved = system.data("PUT", f"/patients/{jane['id']}", {"address": {"city": "Newtown"}})["patient"]
    assert moved["contact"]["address"] == {"street": "456 Oak Ave", "city": "Newtown", "state": "CA", "zip": "12345"}

    assert len(system.everybody()) > 5
    system.kill_everything()
    system.start()
    assert system.data("GET", f"/patients/{jane['id']}")["patient"] == moved  # the session is there too
    assert system.call("POST", "/patients", JANE)[0] == 409

    assert system.stop() == 0
    deadline = time.monotonic() + 10
    while system.everybody() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not system.everybody(), "children outlived the launcher"
