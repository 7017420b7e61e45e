"""What is removed when its time is over, what never is, and that every table has been decided upon."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session as BrowserSession
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.access.actor import SYSTEM
from apps.accounts.models import ApiKeySecret, KnownPlace, RecoveryCode, RefreshToken, Session
from apps.appointments.models import FreedSlotOffer
from apps.audit import tasks
from apps.audit.database_role import grants
from apps.audit.models import AuditEvent
from apps.audit.retention import purging
from apps.common import clock, redis_client, retention
from apps.events.models import Delivery, OutboxEvent
from apps.notifications.models import Message, Notification
from apps.rest.models import SignInTry
from hims.launch.paths import PROJECT
from hims.tests import factories
from hims.tests.test_settings import WHOLE, refusal

pytestmark = pytest.mark.django_db

DOC = (PROJECT / "docs" / "retention.md").read_text()
CLINICAL = (
    "patients_",
    "appointments_appointment",
    "appointments_waitlist",
    "consultations_",
    "audit_",
    "billing_",
    "accounts_user",
)


def fact(days: float, status: str | None = None) -> OutboxEvent:
    """A relayed fact of so many days ago, with a delivery in that status."""
    at = clock.now() - timedelta(days=days)
    row = OutboxEvent.objects.create(name="test.noted", payload={}, occurred_at=at, relayed_at=at)
    if status:
        done = at if status == "done" else None
        Delivery.objects.create(event=row, listener=f"l{uuid4()}", status=status, next_attempt_at=at, done_at=done)
    return row


def removed(rule: str, **about: Any) -> int:
    (one,) = purging.purge(by=SYSTEM, only=rule, **about)
    return one.rows


def test_relayed_facts_go_after_their_deliveries_and_what_waits_for_a_person_stays() -> None:
    old, done, failed, pending, fresh = fact(31), fact(31, "done"), fact(31, "parked"), fact(31, "pending"), fact(29, "done")
    waiting = OutboxEvent.objects.create(name="test.noted", payload={}, occurred_at=clock.now() - timedelta(days=99))
    purging.purge(by=SYSTEM)
    assert set(OutboxEvent.objects.values_list("pk", flat=True)) == {failed.pk, pending.pk, fresh.pk, waiting.pk}
    assert set(Delivery.objects.values_list("event_id", flat=True)) == {failed.pk, pending.pk, fresh.pk}
    assert not OutboxEvent.objects.filter(pk__in=[old.pk, done.pk]).exists()
    very_old = fact(366, "parked")
    purging.purge(by=SYSTEM)
    assert not OutboxEvent.objects.filter(pk=very_old.pk).exists()


def test_sessions_that_are_over_go_with_their_tokens_and_live_ones_stay() -> None:
    user, now = factories.hire("nurse.ann", "nurse"), clock.now()
    long_ago = now - timedelta(days=91)

    def session(**about: Any) -> Session:
        times = {"started_at": long_ago, "last_seen_at": long_ago, "expires_at": long_ago + timedelta(hours=12)}
        return Session.objects.create(id=uuid4(), user=user, **(times | about))

    over, live = session(), session(started_at=now, last_seen_at=now, expires_at=now + timedelta(hours=12))
    RefreshToken.objects.create(token_hash=b"o" * 32, session=over, issued_at=long_ago)
    RefreshToken.objects.create(token_hash=b"l" * 32, session=live, issued_at=now)
    assert removed("sessions") == 1
    assert list(Session.objects.all()) == [live]
    assert [token.session_id for token in RefreshToken.objects.all()] == [live.pk]


def test_browser_sessions_codes_secrets_tries_and_freed_times_go_when_they_are_old() -> None:
    now, user = clock.now(), factories.hire("doctor.ann", "doctor")
    key = factories.create_api_key(user)
    BrowserSession.objects.create(session_key="old", session_data="x", expire_date=now - timedelta(days=2))
    BrowserSession.objects.create(session_key="new", session_data="x", expire_date=now + timedelta(minutes=5))
    for days in (91, 89):
        RecoveryCode.objects.create(code_hash=bytes([days]) * 32, user=user, used_at=now - timedelta(days=days))
        at = now - timedelta(days=days)
        FreedSlotOffer.objects.create(id=uuid4(), doctor=user, starts_at=at - timedelta(hours=1), ends_at=at)
    RecoveryCode.objects.create(code_hash=b"u" * 32, user=user)
    SignInTry.objects.create(key="k", at=now - timedelta(hours=2))
    SignInTry.objects.create(key="k", at=now)
    api_key = ApiKeySecret.objects.first()
    assert key
    assert api_key
    ended = {"issued_at": now - timedelta(days=200), "ends_at": now - timedelta(days=91)}
    ApiKeySecret.objects.create(secret_hash=b"e" * 32, api_key_id=api_key.api_key_id, **ended)
    assert tasks.purge() == 5
    assert list(BrowserSession.objects.values_list("session_key", flat=True)) == ["new"]
    assert RecoveryCode.objects.count() == 2
    assert FreedSlotOffer.objects.count() == SignInTry.objects.count() == ApiKeySecret.objects.count() == 1


def test_an_account_that_lay_idle_for_years_is_still_notified_of_a_new_place() -> None:
    user, now = factories.hire("nurse.ann", "nurse"), clock.now()
    for number, days in enumerate((700, 500, 400)):
        KnownPlace.objects.create(user=user, mark=f"net:10.0.0.{number}", last_used_at=now - timedelta(days=days))
    assert removed("known_places") == 2
    assert list(KnownPlace.objects.values_list("mark", flat=True)) == ["net:10.0.0.2"]
    factories.api_client().post("/auth/login", {"username": "nurse.ann", "password": factories.PASSWORD})
    assert OutboxEvent.objects.filter(name="session.new_place").count() == 1


def test_notifications_are_kept_for_six_years_and_more() -> None:
    user = factories.hire("nurse.ann", "nurse")
    for years in (5.9, 8):
        at = clock.now() - timedelta(days=365.25 * years)
        message = Message.objects.create(title=f"{years}", message="x", created_at=at)
        Notification.objects.create(message=message, user=user, created_at=at)
    purging.purge(by=SYSTEM)
    assert list(Message.objects.values_list("title", flat=True)) == ["5.9"]
    assert Notification.objects.count() == 1


def test_a_purge_works_in_batches_and_each_batch_is_audited() -> None:
    for _ in range(5):
        fact(31)
    assert removed("outbox_events", is_dry_run=True) == 5
    assert OutboxEvent.objects.count() == 5
    assert removed("outbox_events", batch=2) == 5
    rows = AuditEvent.objects.filter(action="retention.purged").order_by("at").values_list("detail__rule", "detail__rows")
    assert list(rows) == [("outbox_events", 2), ("outbox_events", 2), ("outbox_events", 1)]


def test_a_worker_purges_a_share_and_asks_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first purge may have millions of rows: an alert must not wait for all of them."""
    monkeypatch.setattr(purging, "BATCH", 1)
    monkeypatch.setattr(purging, "BATCHES_PER_TASK", 30)
    waiting = redis_client.run(lambda client: client.llen("default"))
    for _ in range(40):
        fact(31)
    assert tasks.purge() == 30
    assert redis_client.run(lambda client: client.llen("default")) == waiting + 1
    assert tasks.purge() == 10
    assert redis_client.run(lambda client: client.llen("default")) == waiting + 1


@pytest.mark.django_db(transaction=True)
def test_a_purge_skips_rows_that_are_being_worked_on() -> None:
    locked, free = fact(31), fact(31)
    other = connection.copy()
    try:
        with transaction.atomic(), other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM events_outboxevent WHERE id = %s FOR UPDATE", [locked.pk])
            assert removed("outbox_events") == 1
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert list(OutboxEvent.objects.values_list("pk", flat=True)) == [locked.pk]
    assert free.pk != locked.pk


def test_the_application_role_may_purge() -> None:
    fact(31, "done")
    grants.apply(grants.ApplicationRole("hims_app"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE hims_app")
        assert tasks.purge() == 2
        cursor.execute("RESET ROLE")


def test_the_command_counts_purges_and_names_its_rules(capsys: pytest.CaptureFixture) -> None:
    fact(31)
    call_command("purge", "--dry-run", "--rule", "outbox_events")
    assert "outbox_events: 1 rows would go" in capsys.readouterr().out
    call_command("purge")
    assert "outbox_events: 1 rows removed" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"Choose one of .*outbox_events"):
        call_command("purge", "--rule", "patients")


@pytest.mark.parametrize(
    ("name", "value"),
    [("HIMS_KEEP_EVENTS_DAYS", "6"), ("HIMS_KEEP_SESSIONS_DAYS", "x"), ("HIMS_KEEP_NOTIFICATIONS_DAYS", "2191")],
)
def test_a_time_that_is_too_short_is_refused(name: str, value: str) -> None:
    assert name in refusal(WHOLE | {name: value})


def test_no_rule_touches_a_clinical_financial_or_audit_row() -> None:
    tables = {rule.name: rule.expired(clock.now()).model._meta.db_table for rule in retention.rules()}
    assert not [name for name, table in tables.items() if table.startswith(CLINICAL)]


def test_every_rule_and_every_table_has_its_line_in_the_documentation() -> None:
    """A new table needs a decision about how long its rows are stored, in docs/retention.md."""
    written = set(re.findall(r"`([a-z_]+)`", DOC))
    assert not {rule.name for rule in retention.rules()} - written
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    missing = sorted(table for table in tables - written if not table.startswith("auth_"))
    assert not missing, f"Name in docs/retention.md, with the period for their rows: {', '.join(missing)}"
