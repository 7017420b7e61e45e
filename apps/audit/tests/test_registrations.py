"""The audit log at the port of the kit."""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.access.actor import SYSTEM
from apps.audit import services
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.rest import audit_log

pytestmark = pytest.mark.django_db


def test_what_the_kit_records_is_a_row_of_the_log() -> None:
    row_id = audit_log.record(by=SYSTEM, action="lamp.read", outcome=audit_log.DENIED, path="/lamps")
    row = AuditEvent.objects.get(pk=row_id)
    assert (row.role, row.action, row.outcome, row.detail) == ("system", "lamp.read", "denied", {"path": "/lamps"})


def test_the_history_of_a_row_and_of_a_patient_is_latest_first_and_no_longer_than_asked() -> None:
    lamp, since = uuid4(), clock.now() - timedelta(minutes=1)
    services.record(by=SYSTEM, action="lamp.created", object_id=lamp)
    services.record(by=SYSTEM, action="lamp.read", patient_id=lamp)
    services.record(by=SYSTEM, action="lamp.read", object_id=uuid4())
    assert [row.action for row in audit_log.get().history(lamp, since=since, limit=9)] == ["lamp.read", "lamp.created"]
    assert [row.action for row in audit_log.get().history(lamp, since=since, limit=1)] == ["lamp.read"]
    assert list(audit_log.get().history(lamp, since=clock.now() + timedelta(minutes=1), limit=9)) == []


def test_the_last_author_is_who_made_the_last_announced_change() -> None:
    lamp, author, since = uuid4(), uuid4(), clock.now() - timedelta(minutes=1)
    assert audit_log.get().last_author(lamp, since=since) is None
    about = {"object_id": lamp, "outcome": "success"}
    AuditEvent.objects.create(action="lamp.changed", user_id=author, detail={"event_id": str(uuid4())}, **about)
    AuditEvent.objects.create(action="lamp.read", user_id=uuid4(), **about)
    assert audit_log.get().last_author(lamp, since=since) == author
