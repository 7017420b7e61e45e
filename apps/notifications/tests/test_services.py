from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from apps.access.actor import SYSTEM
from apps.access.roles import ADMINISTRATION, Role
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Forbidden, Invalid, NotFound
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent
from apps.notifications import selectors, services
from apps.notifications.models import Message, Notification
from apps.notifications.tests.factories import copy_of, notice, tell

pytestmark = pytest.mark.django_db


def test_a_message_is_one_row_and_a_thin_one_for_each_recipient(staff: dict[str, User]) -> None:
    message = services.send(by=staff["admin"], notice=notice(), ids=[staff["nurse"].pk, staff["doctor"].pk])
    copies = Notification.objects.filter(message=message)
    assert {copy.user_id for copy in copies} == {staff["nurse"].pk, staff["doctor"].pk}
    assert {(copy.created_at, copy.read_at) for copy in copies} == {(message.created_at, None)}
    assert all(copy.pk.version == 7 for copy in copies)
    assert (message.sent_by_id, message.recipient_count) == (staff["admin"].pk, 2)


def test_a_user_named_twice_and_by_role_too_is_notified_once(staff: dict[str, User]) -> None:
    nurse = staff["nurse"].pk
    message = services.send(by=staff["admin"], notice=notice(), ids=[nurse, nurse], roles=["nurse", "doctor"])
    assert message.recipient_count == Notification.objects.count() == 2


def test_a_role_means_its_active_people(staff: dict[str, User]) -> None:
    accounts.deactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    with pytest.raises(services.NoRecipients):
        services.send(by=staff["admin"], notice=notice(), roles=["nurse"])
    assert not Message.objects.exists()


def test_unknown_recipients_are_named(staff: dict[str, User]) -> None:
    accounts.deactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    stranger, gone = uuid4(), staff["nurse"].pk
    with pytest.raises(Invalid) as refused:
        services.send(by=staff["admin"], notice=notice(), ids=[staff["doctor"].pk, stranger, gone])
    assert refused.value.details["unknown_recipients"] == [str(stranger), str(gone)]
    assert refused.value.details["field"] == "recipient_ids"
    assert not Notification.objects.exists()


def test_a_notice_needs_a_recipient(staff: dict[str, User]) -> None:
    with pytest.raises(Invalid) as refused:
        services.send(by=staff["admin"], notice=notice())
    assert refused.value.details["field"] == "recipient_ids"


@pytest.mark.parametrize("role", [role.value for role in Role if role not in {*ADMINISTRATION, Role.PATIENT}])
def test_only_those_who_run_the_clinic_send(staff: dict[str, User], role: str) -> None:
    with pytest.raises(Forbidden):
        services.send(by=staff[role], notice=notice(), ids=[staff["nurse"].pk])


def test_a_notification_leads_nowhere_else(staff: dict[str, User]) -> None:
    with pytest.raises(Invalid) as refused:
        services.notify(by=SYSTEM, notice=notice(action_url="//evil.example"), ids=[staff["nurse"].pk])
    assert refused.value.details["field"] == "action_url"


def test_an_event_notifies_once_however_often_it_is_delivered(staff: dict[str, User]) -> None:
    fact = uuid4()
    first = services.notify(by=SYSTEM, notice=notice(), roles=["admin"], event_id=fact)
    again = services.notify(by=SYSTEM, notice=notice("In other words"), roles=["admin", "nurse"], event_id=fact)
    other = services.notify(by=SYSTEM, notice=notice(), roles=["nurse"], event_id=fact, part="nurses")
    assert (first is None, again, other is None) == (False, None, False)
    assert Notification.objects.count() == 2


def test_sending_is_announced_and_audited_without_the_content(staff: dict[str, User]) -> None:
    message = services.send(by=staff["admin"], notice=notice("Secret title"), ids=[staff["nurse"].pk])
    event = OutboxEvent.objects.get(name="notification.sent")
    row = AuditEvent.objects.get(action="notification.sent")
    assert event.payload == {"message_id": str(message.pk), "recipients": 1, "priority": "medium", "category": "system"}
    assert (row.user_id, row.object_id) == (staff["admin"].pk, message.pk)


def test_a_user_reads_only_their_own(staff: dict[str, User]) -> None:
    copy = copy_of(tell(staff["nurse"]), staff["nurse"])
    with pytest.raises(NotFound):
        services.read(by=staff["doctor"], notification_id=copy.pk)
    assert services.read(by=staff["nurse"], notification_id=copy.pk).read_at is not None
    assert selectors.unread_count(visible_to=staff["nurse"]) == 0


def test_what_is_read_stays_as_it_was_and_is_announced_once(staff: dict[str, User]) -> None:
    copy = copy_of(tell(staff["nurse"]), staff["nurse"])
    first = services.read(by=staff["nurse"], notification_id=copy.pk).read_at
    assert services.read(by=staff["nurse"], notification_id=copy.pk).read_at == first
    assert OutboxEvent.objects.filter(name="notification.read").count() == 1


def test_all_of_ones_own_are_read_at_once(staff: dict[str, User]) -> None:
    for _ in range(3):
        tell(staff["nurse"], staff["doctor"])
    assert services.read_all(by=staff["nurse"]) == 3
    assert services.read_all(by=staff["nurse"]) == 0
    assert selectors.unread_count(visible_to=staff["nurse"]) == 0
    assert selectors.unread_count(visible_to=staff["doctor"]) == 3
    assert OutboxEvent.objects.get(name="notification.all_read").payload["notifications"] == 3


def test_readers_are_counted_for_the_sender(staff: dict[str, User]) -> None:
    message = services.send(by=staff["admin"], notice=notice(), roles=["nurse", "doctor"])
    services.read(by=staff["nurse"], notification_id=copy_of(message, staff["nurse"]).pk)
    assert selectors.read_count(message) == 1


def test_what_the_house_wrote_is_no_senders_business(staff: dict[str, User]) -> None:
    message = tell(staff["nurse"])
    with pytest.raises(NotFound):
        selectors.sent_message(staff["admin"], message.pk)


def _message(**wrong: Any) -> Callable[[User], Any]:
    return lambda user: Message.objects.create(**({"title": "A", "message": "B", "sent_by": user} | wrong))


def _same_copy(user: User) -> None:
    message = tell(user)
    Notification.objects.create(message=message, user=user)


def _same_event(user: User) -> None:
    fact = UUID(int=7)
    for _ in range(2):
        Message.objects.create(title="A", message="B", event_id=fact)


@pytest.mark.parametrize(
    ("constraint", "write"),
    [
        ("message_type_known", _message(type="gossip")),
        ("message_priority_known", _message(priority="routine")),
        ("message_category_known", _message(category="weather")),
        ("message_says_something", _message(title="")),
        ("message_says_something", _message(message="")),
        ("message_length", _message(message="x" * 4_001)),
        ("message_leads_within", _message(action_url="https://evil.example")),
        ("message_leads_within", _message(action_url="//evil.example")),
        ("message_leads_within", _message(action_url="/\\evil.example")),
        ("message_leads_within", _message(action_url="/a\nb")),
        ("message_leads_within", _message(action_url="/a\n")),
        ("notification_once_per_person", _same_copy),
        ("message_once_per_event", _same_event),
    ],
)
def test_the_database_has_the_last_word(staff: dict[str, User], constraint: str, write: Callable[[User], Any]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        write(staff["nurse"])


@pytest.mark.django_db(transaction=True)
def test_an_event_delivered_eight_times_at_once_notifies_once(staff: dict[str, User]) -> None:
    fact = uuid4()
    results = run_concurrently(8, lambda _: services.notify(by=SYSTEM, notice=notice(), roles=["nurse", "doctor"], event_id=fact))
    assert sum(one is not None for one in results) == 1
    assert Notification.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_sending_that_breaks_off_in_the_middle_leaves_nothing_and_then_one_row_each(
    staff: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = uuid4()
    with monkeypatch.context() as broken:
        broken.setattr(services, "emit", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.notify(by=SYSTEM, notice=notice(), roles=list(staff), event_id=fact)
    assert not Message.objects.exists()
    assert not Notification.objects.exists()
    services.notify(by=SYSTEM, notice=notice(), roles=list(staff), event_id=fact)
    assert Notification.objects.count() == len(staff)


@pytest.mark.django_db(transaction=True)
def test_a_connection_killed_in_the_middle_leaves_nothing_and_then_one_row_each(
    staff: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_users(1_000)
    fact = uuid4()

    def die(*_: Any, **__: Any) -> None:
        """The copies are written, the commit has not come."""
        with connection.copy().cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    def tell_nurses(_: int = 0) -> Message | None:
        return services.notify(by=SYSTEM, notice=notice(), roles=["nurse"], event_id=fact)

    with monkeypatch.context() as broken:
        broken.setattr(services, "emit", die)
        with pytest.raises(OperationalError):
            run_concurrently(1, tell_nurses)
    assert not Notification.objects.exists()
    results = run_concurrently(2, tell_nurses)
    assert [one is None for one in results].count(True) == 1
    assert Notification.objects.count() == Notification.objects.values("user").distinct().count() == 1_001


@pytest.mark.django_db(transaction=True)
def test_two_who_mark_the_same_as_read_are_one(staff: dict[str, User]) -> None:
    copy = copy_of(tell(staff["nurse"]), staff["nurse"])
    run_concurrently(6, lambda _: services.read(by=staff["nurse"], notification_id=copy.pk))
    assert OutboxEvent.objects.filter(name="notification.read").count() == 1


def insert_users(size: int) -> None:
    """So many nurses, straight into the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user"
            " (id, created_at, updated_at, username, email, first_name, last_name, role, is_active, password,"
            " password_needs_mfa, security_stamp)"
            " SELECT gen_random_uuid(), now(), now(), 'n' || n, 'n' || n || '@hims.test', 'N', 'N', 'nurse', true, '!',"
            " false, gen_random_uuid()"
            " FROM generate_series(1, %s) n",
            [size],
        )


def plan(rows: Any) -> str:
    return rows.explain()


def test_ten_thousand_are_notified_in_as_many_statements_as_two(staff: dict[str, User], django_assert_num_queries: Any) -> None:
    insert_users(10_000)
    ids = list(User.objects.filter(role="nurse").values_list("pk", flat=True)[:10_000])
    with django_assert_num_queries(5):  # a savepoint and its release; strangers, message with copies, event with audit row
        services.send(by=staff["admin"], notice=notice(), ids=ids[:2])
    with django_assert_num_queries(6):  # and more time
        services.send(by=staff["admin"], notice=notice(), ids=ids)
    assert Notification.objects.count() == 10_002


@pytest.mark.parametrize("people", [40, pytest.param(500, marks=pytest.mark.full)])
def test_the_newest_and_the_unread_are_found_by_their_index(staff: dict[str, User], people: int) -> None:
    """Two hundred messages, a copy for everyone: 8,000 copies, and 100,000 in the long measurement; one in ten is unread."""
    insert_users(people)
    at = clock.now() - timedelta(days=30)
    for number in range(200):
        services.notify(by=SYSTEM, notice=notice(f"Notice {number}"), roles=["nurse"], at=at + timedelta(hours=number))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_notification SET read_at = now() WHERE created_at < %s", [at + timedelta(hours=180)])
        cursor.execute("ANALYZE notifications_notification, notifications_message")
    nurse = staff["nurse"]
    newest = plan(selectors.inbox(visible_to=nurse)[:50])
    unread = plan(Notification.objects.visible_to(nurse).unread())
    assert "notification_newest" in newest
    assert "Sort" not in newest
    assert "notification_unread" in unread
    assert [row.message.title for row in selectors.inbox(visible_to=nurse)[:2]] == ["Notice 199", "Notice 198"]
    assert selectors.unread_count(visible_to=nurse) == 20
