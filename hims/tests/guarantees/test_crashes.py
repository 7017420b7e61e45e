"""A worker dies at the worst instants, and the caller sends the same request again: one effect, whole, and its answer."""

import http.client
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from apps.rest.models import KeptReply
from hims.tests import factories, live
from hims.tests.live import Reply, Web

pytestmark = pytest.mark.django_db(transaction=True)

CRASH_SERVER = "hims.tests.guarantees.crash_server:application"
ANN = {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-31", "gender": "female"}
LOST = (OSError, http.client.HTTPException)


@pytest.fixture
def register() -> Callable[..., Reply]:
    token = factories.api_client(factories.hire("reception.kim", "receptionist")).token

    def send(web: Web, key: str = "one", **headers: str) -> Reply:
        return web.ask("POST", "/v1/patients", ANN, Authorization=f"Bearer {token}", **{"Idempotency-Key": key} | headers)

    return send


def rows() -> tuple[int, int, int, int]:
    registered = OutboxEvent.objects.filter(name="patient.registered").count()
    noted = AuditEvent.objects.filter(action="patient.registered").count()
    return Patient.objects.count(), registered, noted, KeptReply.objects.count()


@pytest.mark.parametrize(("instant", "left"), [("before the commit", 0), ("before the reply", 1)])
def test_a_worker_killed_while_writing_leaves_one_effect_after_the_retry(
    tmp_path: Path, register: Any, instant: str, left: int
) -> None:
    with live.web(tmp_path / "first.log", CRASH_SERVER) as first, pytest.raises(LOST):
        register(first, X_Die=instant)
    assert rows() == (left, left, left, left)
    with live.web(tmp_path / "second.log") as second:
        reply = register(second)
        again = register(second)
    assert reply.status == again.status == 201
    assert reply.headers["Idempotent-Replayed"] == ("true" if left else None)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert reply.body == again.body
    assert rows() == (1, 1, 1, 1)
    assert reply.json["data"]["patient"]["id"] == str(Patient.objects.get().pk)
    assert reply.headers["Location"].endswith(str(Patient.objects.get().pk))


def test_two_servers_hold_one_key(tmp_path: Path, register: Any) -> None:
    """What is in flight in one process is seen by the other."""
    with live.web(tmp_path / "1.log") as first, live.web(tmp_path / "2.log") as second:
        replies: list[Reply] = []
        clients = [threading.Thread(target=lambda n=n: replies.append(register((first, second)[n % 2]))) for n in range(20)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert {reply.status for reply in replies} <= {201, 409}
        assert {reply.json["error"]["details"]["issue"] for reply in replies if reply.status == 409} <= {"in_flight"}
        made = [reply for reply in replies if reply.status == 201]
        assert len([reply for reply in made if reply.headers["Idempotent-Replayed"] is None]) == 1
        assert len({reply.body for reply in [*made, register(second)]}) == 1
        assert rows() == (1, 1, 1, 1)
        not_modified_has_no_body(first, register(first).headers)


def not_modified_has_no_body(web: Web, headers: Any) -> None:
    """On the wire too."""
    token = factories.api_client(factories.hire("nurse.jones", "nurse")).token
    known = web.ask("GET", headers["Location"], Authorization=f"Bearer {token}").headers["ETag"]
    reply = web.ask("GET", headers["Location"], Authorization=f"Bearer {token}", **{"If-None-Match": known})
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, b"", known)
    assert reply.headers["Content-Length"] in (None, "0")
