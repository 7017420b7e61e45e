"""Sends notifications and marks them as read."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.common import clock
from apps.common.actor import AuditActor
from apps.common.errors import Conflict, Forbidden, Invalid
from apps.events.services import emit
from apps.notifications import rules, selectors, sql
from apps.notifications.events import AllNotificationsRead, NotificationRead, NotificationSent
from apps.notifications.models import Category, Message, Notification, Priority, Type
from apps.notifications.rights import Permission

MAX_RECIPIENTS = 10_000  # named in one request; roles may contain more
_MAX_NAMED = 100  # unknown recipients that are reported one by one


class NoRecipients(Conflict):
    message = "No active staff have the named roles: the notification would reach no recipient."


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The text of a notification. Within HIMS it may name a patient; a mail never does."""

    title: str
    message: str
    type: str = Type.INFO.value
    priority: str = Priority.MEDIUM.value
    category: str = Category.SYSTEM.value
    action_url: str = ""


@transaction.atomic
def send(*, by: Actor, notice: Notice, ids: Sequence[UUID] = (), roles: Collection[str] = ()) -> Message:
    """Sends a notification to staff, each once. Raises Forbidden, Invalid with the field, NoRecipients."""
    if not by.has_permission(Permission.NOTIFICATION_SEND):
        raise Forbidden
    if not ids and not roles:
        raise Invalid(field="recipient_ids", issue="Name at least one recipient in recipient_ids or recipient_roles.")
    _check_recipients(ids)
    message = notify(by=by, notice=notice, ids=ids, roles=roles)
    assert message is not None  # only the message of an event can exist already
    if not message.recipient_count:
        raise NoRecipients
    return message


@transaction.atomic(savepoint=False)  # a listener calls it within a transaction, which fails as a whole
def notify(
    *,
    by: AuditActor,
    notice: Notice,
    ids: Collection[UUID] = (),
    roles: Collection[str] = (),
    event_id: UUID | None = None,
    part: str = "",
    at: datetime | None = None,
) -> Message | None:
    """Notifies the active users among `ids`, and those in `roles`. Raises Invalid for an action_url outside this installation.

    With the `event_id` of an event it is sent once: returns None if it was sent before. `part` distinguishes several messages of
    an event.
    """
    if notice.action_url and not rules.is_internal_path(notice.action_url):
        raise Invalid(field="action_url", issue=rules.WRITE_LINK_AS)
    at = at or clock.now()
    message = Message(sent_by_id=by.id, event_id=event_id, part=part, created_at=at, **asdict(notice))
    recipients = sql.store(message, ids=ids, roles=roles, ms=int(clock.now().timestamp() * 1000))
    if recipients is None:
        return None
    message.recipient_count = recipients
    event = NotificationSent(
        message_id=message.pk, recipients=message.recipient_count, priority=message.priority, category=message.category
    )
    emit(event, by=by)
    return message


@transaction.atomic
def read(*, by: Actor, notification_id: UUID) -> Notification:
    """Marks one of the own as read; a second call changes nothing. Raises NotFound."""
    notification = selectors.notification(by, notification_id)
    now = clock.now()
    if Notification.objects.filter(pk=notification.pk, read_at=None).update(read_at=now):
        notification.read_at = now
        emit(NotificationRead(notification_id=notification.pk), by=by)
    return notification


@transaction.atomic
def read_all(*, by: Actor) -> int:
    """Marks all of the own as read. Returns how many were unread."""
    marked = Notification.objects.visible_to(by).unread().update(read_at=clock.now())
    if marked and by.id:
        emit(AllNotificationsRead(user_id=by.id, notifications=marked), by=by)
    return marked


def _check_recipients(ids: Sequence[UUID]) -> None:
    unknown = [str(recipient_id) for recipient_id in selectors.inactive_ids(ids)]
    if unknown:
        issue = "There is no active member of staff with the id {}."
        errors = [{"field": "recipient_ids", "issue": issue.format(recipient_id)} for recipient_id in unknown[:_MAX_NAMED]]
        raise Invalid(errors=errors, unknown_recipients=unknown[:_MAX_NAMED], unknown_count=len(unknown))
