"""The page of background jobs: what runs on a schedule, what failed, and trying again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.tests.factories import at
from apps.audit.models import AuditEvent
from apps.common import clock, domain
from apps.desk.audit import actions
from apps.desk.events import words
from apps.desk.home.tests.pages import HOME, section, statements, text_of
from apps.events import event, listeners, scheduled_jobs
from apps.events.models import Delivery, OutboxEvent
from apps.events.tests.contract import dead_lettered

pytestmark = pytest.mark.django_db

PAGE = "/admin/jobs/"
SWEEP, SEAL = "relay the events that are due", "seal the audit log"


@pytest.fixture(autouse=True)
def ten_o_clock() -> Iterator[Any]:
    with time_machine.travel(at("10:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(staff: dict[str, User]) -> Client:
    return browser(staff["admin"])


def failed(listener: str = "apps.patients.listeners.check_registered", error: str = "ValueError: no printer") -> Delivery:
    delivery = dead_lettered()
    Delivery.objects.filter(pk=delivery.pk).update(listener=listener, last_error=error)
    return delivery


def pending(attempts: int) -> Delivery:
    happened = OutboxEvent.objects.create(name="patient.registered", payload={}, relayed_at=clock.now())
    return Delivery.objects.create(event=happened, listener="apps.x.listeners.y", attempts=attempts)


@pytest.mark.parametrize("role", ["manager", "receptionist", "doctor"])
def test_only_administrators_open_the_page_or_try_again(staff: dict[str, User], role: str) -> None:
    delivery, client = failed(), browser(staff[role])
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"delivery": delivery.pk}).status_code == 403
    assert PAGE not in client.get(HOME).content.decode()


def test_each_job_has_its_words_its_interval_and_its_last_run(admin: Client) -> None:
    scheduled_jobs.record_run(SWEEP)
    scheduled_jobs.record_run(SEAL, error="OSError: disk full")
    scheduled_jobs.record_run("purge expired rows")
    shown = section(text_of(admin, PAGE), "jobs")
    assert (
        "Pass on events Starts messages and checks that are due, also after a restart Every 5 seconds Today, 10:00 Done" in shown
    )
    assert "Every 3 seconds Today, 10:00 Failed OSError: disk full 1 run failed" in shown
    assert "Delete old data Data whose retention period has passed Every day Today, 10:00 Done Tue " in shown
    assert "Every minute Not run yet" in shown
    assert shown.index("disk full") < shown.index("Pass on events")


def test_a_job_that_stopped_is_late(admin: Client, ten_o_clock: Any) -> None:
    scheduled_jobs.record_run(SWEEP)
    ten_o_clock.shift(timedelta(minutes=6))
    assert "Every 5 seconds Today, 10:00 Late" in section(text_of(admin, PAGE), "jobs")


def test_a_failed_delivery_says_what_failed_and_why_and_is_tried_again(staff: dict[str, User], admin: Client) -> None:
    delivery = failed()
    pending(0), pending(0), pending(2)
    shown = section(text_of(admin, PAGE), "events")
    assert "Failed 1 Waiting 2 The oldest since" in shown
    assert "Trying again 1" in shown
    assert "Compare the new record with others Registered the patient" in shown
    assert "ValueError: no printer" in shown
    answer = admin.post(PAGE, {"delivery": str(delivery.pk)}, follow=True)
    assert "The delivery is tried again within seconds." in answer.content.decode()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Delivery.Status.PENDING, 0)
    assert AuditEvent.objects.get(action="delivery.retried").user_id == staff["admin"].pk
    again = admin.post(PAGE, {"delivery": str(delivery.pk)}, follow=True).content.decode()
    assert "Only a failed delivery can be tried again." in again
    assert "Choose a failed delivery below." in admin.post(PAGE, {"delivery": "x"}, follow=True).content.decode()


def test_what_failed_or_is_late_needs_the_administrator(admin: Client, ten_o_clock: Any) -> None:
    scheduled_jobs.record_run("verify the audit log")
    assert "background job" not in text_of(admin)
    scheduled_jobs.record_run(SEAL, error="OSError: disk full")
    ten_o_clock.shift(timedelta(minutes=10))
    text = text_of(admin)
    assert f'<a href="{PAGE}">1 background job failed</a>' in text
    assert "1 background job is late" in text
    assert "Check the audit log" in text
    failed()
    assert f'<a href="{PAGE}">1 event failed</a>' in text_of(admin)


def test_the_list_of_deliveries_filters_by_what_happens_with_them(admin: Client) -> None:
    failed(), pending(0), pending(2)
    Delivery.objects.filter(pk=pending(1).pk).update(status=Delivery.Status.DONE, done_at=clock.now())
    page = reverse("admin:events_delivery_changelist")
    for state, number in (("failed", 1), ("waiting", 1), ("retrying", 1), ("done", 1)):
        assert f"{number} delivery" in admin.get(f"{page}?state={state}").content.decode(), state
    assert "4 deliveries" in admin.get(page).content.decode()
    assert f'href="{PAGE}" aria-current="page"' in admin.get(page).content.decode()


def test_the_page_needs_the_same_statements_for_one_failure_and_for_many(admin: Client) -> None:
    failed()
    statements(admin, PAGE)
    few = statements(admin, PAGE)
    for _ in range(30):
        failed()
    assert statements(admin, PAGE) == few
    assert "And 11 more" in text_of(admin, PAGE)


def test_each_scheduled_job_listener_and_event_has_words() -> None:
    assert set(words.JOBS) == set(domain.merged(config.beat for config in domain.installed()))
    paths = {path.removeprefix("apps.") for name in event.all_names() for path in listeners.names_for(name)}
    assert set(words.LISTENERS) == {path for path in paths if not path.startswith("hims.") and ".tests." not in path}
    heard = [name for name in event.all_names() if listeners.names_for(name)]
    assert [name for name in heard if not actions.known_words(name)] == []


@pytest.mark.parametrize(
    ("every", "text"),
    [
        (timedelta(seconds=15), "every 15 seconds"),
        (timedelta(minutes=1), "every minute"),
        (timedelta(minutes=10), "every 10 minutes"),
        (timedelta(hours=1), "every hour"),
        (timedelta(days=1), "every day"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_interval_is_written_in_words(every: timedelta, text: str) -> None:
    assert words.interval(every) == text
