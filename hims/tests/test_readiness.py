"""What /health/ready says of work that waits for the workers."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client

from apps.access.actor import SYSTEM
from apps.audit.sealing import seals
from apps.audit.sealing import sql as sealing_sql
from apps.common import clock
from apps.events import relay
from apps.events import sql as events_sql
from apps.events.event import DeliveryRetried
from apps.events.models import Delivery
from apps.events.services import emit
from apps.rest import health
from hims.tests.journeys import outbox_probe

pytestmark = pytest.mark.django_db(transaction=True)
NOTHING = {"oldest_waiting_event": None, "oldest_unsealed_audit_row": None}


@pytest.fixture(autouse=True)
def one_listener(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(health, "_requirements", {})  # the sample data are not laid out here
    monkeypatch.setattr(health, "RESULT_LIFETIME", timedelta(0))  # each request checks
    with outbox_probe.registered():
        seals.seal()
        yield


def waiting() -> dict[str, int | None]:
    return Client().get("/health/ready").json()["waiting_seconds"]


def send_probe() -> None:
    with transaction.atomic():
        outbox_probe.send_probe(1)


def test_nothing_waits_while_all_is_delivered_and_sealed() -> None:
    with transaction.atomic():
        emit(DeliveryRetried(delivery_id=relay.new_id()), by=SYSTEM)  # it has no listener
    seals.seal()
    assert waiting() == NOTHING


def test_the_age_of_the_oldest_event_counts_until_a_worker_begins_with_its_last_delivery() -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        send_probe()
        traveller.shift(timedelta(seconds=40))
        send_probe()
        seals.seal()
        assert waiting()["oldest_waiting_event"] == 40
        first, second = relay.claim_waiting()
        assert waiting()["oldest_waiting_event"] == 40  # claimed is not delivered
        Delivery.objects.filter(pk=first.delivery_id).update(attempts=1)
        assert waiting()["oldest_waiting_event"] == 0
        Delivery.objects.filter(pk=second.delivery_id).update(attempts=1)
        assert waiting()["oldest_waiting_event"] is None


def test_an_event_that_waits_for_too_long_degrades_and_names_the_workers(settings: Any) -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        send_probe()
        seals.seal()
        traveller.shift(timedelta(seconds=settings.HIMS_BACKLOG_LIMIT_SECONDS + 1))
        reply = Client().get("/health/ready")
    assert (reply.status_code, reply.json()["status"], reply.json()["checks"]["workers"]) == (200, "degraded", "behind")


def test_a_row_of_the_audit_log_waits_until_it_is_sealed() -> None:
    send_probe()
    later = clock.now() + timedelta(seconds=30)
    with time_machine.travel(later, tick=False):
        age = waiting()["oldest_unsealed_audit_row"]
    assert age is not None
    assert 25 <= age <= 30
    seals.seal()
    assert waiting()["oldest_unsealed_audit_row"] is None


def test_health_names_no_event_and_no_person() -> None:
    send_probe()
    reply = Client().get("/health/ready")
    assert set(reply.json()) == {"status", "checks", "waiting_seconds"}
    assert outbox_probe.NAME not in reply.content.decode()


def test_both_ages_are_read_off_indexes() -> None:
    send_probe()
    relay.claim_waiting()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"EXPLAIN {events_sql.OLDEST_WAITING}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "outbox_waiting" in plan
        assert "delivery_not_begun" in plan
        cursor.execute(f"EXPLAIN {sealing_sql.OLDEST_UNSEALED}", [seals.BEGINNING])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "_at_id_idx" in plan
    assert "Seq Scan on audit_auditevent" not in plan
