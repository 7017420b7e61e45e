"""Telling people things, and what they read of it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common import clock, prepared
from apps.common.actor import Someone
from apps.common.errors import Conflict, Forbidden, Invalid
from apps.events.services import emit
from apps.notifications import rules, selectors
from apps.notifications.events import AllNotificationsRead, NotificationRead, NotificationSent
from apps.notifications.models import Category, Message, Notification, Priority, Type

MAX_RECIPIENTS = 10_000  # named in one request; roles may hold more
_MANY = 1_000  # from here on a statement may take longer than others
_NAMED = 100  # unknown recipients that are told one by one

# One statement, however many recipients: thin rows, each with a version-7 id of this moment, nobody twice.
_COPIES = """
INSERT INTO notifications_notification (id, message_id, user_id, created_at)
SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(%(ms)s) FROM 3) FROM 1 FOR 6),
              52, 1), 53, 1), 'hex')::uuid, %(message)s, who.id, %(at)s
FROM (SELECT u.id FROM unnest(%(ids)s::uuid[]) AS asked (id) JOIN accounts_user u USING (id) WHERE u.is_active
      UNION
      SELECT u.id FROM accounts_user u WHERE u.role = ANY(%(roles)s) AND u.is_active) AS who
"""


class NobodyThere(Conflict):
    message = "Nobody works here today in the roles that were named: there is nobody to tell."


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is to be said. In the house it may name a patient; a mail never does."""

    title: str
    message: str
    type: str = Type.INFO.value
    priority: str = Priority.MEDIUM.value
    category: str = Category.SYSTEM.value
    action_url: str = ""


@transaction.atomic
def send(*, by: Actor, notice: Notice, ids: Sequence[UUID] = (), roles: Collection[str] = ()) -> Message:
    """Tell people of the staff something, each once. Raises Forbidden, Invalid (field named), NobodyThere."""
    if not by.may(Permission.NOTIFICATION_SEND):
        raise Forbidden
    if not ids and not roles:
        raise Invalid(field="recipient_ids", issue="Name at least one recipient in recipient_ids or recipient_roles.")
    _refuse_strangers(ids)
    message = notify(by=by, notice=notice, ids=ids, roles=roles)
    assert message is not None  # only what tells of a fact can be told already
    if not message.recipient_count:
        raise NobodyThere
    return message


@transaction.atomic
def notify(
    *,
    by: Someone,
    notice: Notice,
    ids: Collection[UUID] = (),
    roles: Collection[str] = (),
    event_id: UUID | None = None,
    part: str = "",
    at: datetime | None = None,
) -> Message | None:
    """Tell the active people among `ids`, and those in `roles`. Raises Invalid for an action_url that leads out of the house.

    With the `event_id` of a fact it is said once: None where it was said before. One of several messages of a fact is a `part`.
    """
    if notice.action_url and not rules.leads_within(notice.action_url):
        raise Invalid(field="action_url", issue="Must be a path of this installation, like /lab/results/123.")
    at = at or clock.now()
    message = Message(sent_by_id=by.id, event_id=event_id, part=part, created_at=at, **asdict(notice))
    Message.objects.bulk_create([message], ignore_conflicts=event_id is not None)
    if event_id is not None and not Message.objects.filter(pk=message.pk).exists():
        return None
    message.recipient_count = _hand_out(message, ids, roles)
    Message.objects.filter(pk=message.pk).update(recipient_count=message.recipient_count)
    told = NotificationSent(
        message_id=message.pk, recipients=message.recipient_count, priority=message.priority, category=message.category
    )
    emit(told, by=by)
    return message


@transaction.atomic
def read(*, by: Actor, notification_id: UUID) -> Notification:
    """Mark one's own as read; once read, it stays as it was. Raises NotFound."""
    notification = selectors.notification(by, notification_id)
    now = clock.now()
    if Notification.objects.filter(pk=notification.pk, read_at=None).update(read_at=now):
        notification.read_at = now
        emit(NotificationRead(notification_id=notification.pk), by=by)
    return notification


@transaction.atomic
def read_all(*, by: Actor) -> int:
    """Mark all of one's own as read. Answers how many were not."""
    marked = Notification.objects.visible_to(by).unread().update(read_at=clock.now())
    if marked and by.id:
        emit(AllNotificationsRead(user_id=by.id, notifications=marked), by=by)
    return marked


def _hand_out(message: Message, ids: Collection[UUID], roles: Collection[str]) -> int:
    """A copy for each recipient. Answers how many."""
    values: dict[str, Any] = {
        "ms": int(clock.now().timestamp() * 1000),
        "message": message.pk,
        "at": message.created_at,
        "ids": list(ids),
        "roles": [str(role) for role in roles],
    }
    if roles or len(ids) > _MANY:  # a hundred thousand took half a minute on a machine with nine others at work
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '60s'")  # until the commit, which checks the foreign keys
    with prepared.cursor() as cursor:
        cursor.execute(_COPIES, values)
        return cursor.rowcount


def _refuse_strangers(ids: Sequence[UUID]) -> None:
    unknown = [str(one) for one in selectors.strangers(ids)]
    if unknown:
        issue = "There is no active member of staff with the id {}."
        errors = [{"field": "recipient_ids", "issue": issue.format(one)} for one in unknown[:_NAMED]]
        raise Invalid(errors=errors, unknown_recipients=unknown[:_NAMED], unknown_count=len(unknown))
