"""A message is one row; every recipient has a thin row, which the API calls a notification.

Sending to many is therefore one INSERT of small rows, and a person's list one index scan.
"""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.common import clock
from apps.common.ids import new_id
from apps.common.models import ClosedQuerySet
from apps.notifications import rules
from apps.notifications.rights import Permission

MAX_TITLE = 200
MAX_MESSAGE = 4_000


class Type(models.TextChoices):
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class Priority(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class Category(models.TextChoices):
    APPOINTMENT = "appointment"
    CONSULTATION = "consultation"
    PRESCRIPTION = "prescription"
    LAB = "lab"
    BILLING = "billing"
    MESSAGE = "message"
    SYSTEM = "system"


class MessageQuerySet(ClosedQuerySet["Message"]):
    def visible_to(self, actor: Actor) -> Self:
        """Messages that users sent, for those who may send; only the recipients read those of the system."""
        return self.exclude(sent_by=None) if actor.has_permission(Permission.NOTIFICATION_SEND) else self.none()


class Message(models.Model):
    """The text, stored once. `event_id` is its event: there is one message per event and part, however often a listener runs."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    type = models.CharField(max_length=10, choices=Type, default=Type.INFO)
    title = models.CharField(max_length=MAX_TITLE)
    message = models.TextField(max_length=MAX_MESSAGE)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    category = models.CharField(max_length=20, choices=Category, default=Category.SYSTEM)
    action_url = models.CharField("leads to", max_length=rules.MAX_URL, blank=True)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    event_id = models.UUIDField(null=True, editable=False)
    part = models.CharField(max_length=40, blank=True, editable=False)  # distinguishes several messages of one event
    read_count = 0  # how many recipients have read it, as far as the reader of the message set it
    recipient_count = models.PositiveIntegerField("recipients", default=0, editable=False)
    created_at = models.DateTimeField("sent", default=clock.now, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_id", "part"], name="message_once_per_event", condition=~Q(event_id=None)),
            models.CheckConstraint(condition=Q(type__in=Type.values), name="message_type_known"),
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="message_priority_known"),
            models.CheckConstraint(condition=Q(category__in=Category.values), name="message_category_known"),
            models.CheckConstraint(condition=~Q(title="") & ~Q(message=""), name="message_says_something"),
            models.CheckConstraint(condition=LessThanOrEqual(Length("message"), MAX_MESSAGE), name="message_length"),
            models.CheckConstraint(
                condition=Q(action_url="") | (Q(action_url__regex=rules.URL_PATTERN) & ~Q(action_url__contains="//")),
                name="message_leads_within",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="message_sent", condition=~Q(sent_by=None))]
        verbose_name = "message"

    def __str__(self) -> str:
        return self.title


class NotificationQuerySet(ClosedQuerySet["Notification"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the own notifications."""
        return self.filter(user_id=actor.id) if actor.has_permission(Permission.NOTIFICATION_READ) else self.none()

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notification(models.Model):
    """One recipient's copy of a message."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, db_index=False, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField("sent", default=clock.now, editable=False)
    read_at = models.DateTimeField("read", null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="notification_once_per_person")]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notification_newest"),
            models.Index(fields=["user"], name="notification_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.message)
