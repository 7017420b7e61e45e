"""Serializers of notifications."""

from typing import Any, ClassVar

from rest_framework import serializers

from apps.access.roles import STAFF
from apps.notifications import rules, services
from apps.notifications.models import MAX_MESSAGE, MAX_TITLE, Category, Notification, Priority, Type
from apps.notifications.rights import Permission
from apps.patients.rights import Permission as PatientPermission
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import IdField, LineField, StrictSerializer


class NotificationShape(ResponseSerializer):
    """The own copy of a message: the keys of the reference."""

    parts = {"message": PatientPermission.PATIENT_VIEW}  # a message of the system about an appointment names the patient

    id = serializers.UUIDField()
    type = serializers.ChoiceField(source="message.type", choices=Type.choices)
    title = serializers.CharField(source="message.title")
    message = serializers.CharField(source="message.message")
    priority = serializers.ChoiceField(source="message.priority", choices=Priority.choices)
    category = serializers.ChoiceField(source="message.category", choices=Category.choices)
    is_read = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    action_url = serializers.CharField(
        source="message.action_url", allow_blank=True, help_text="A path of the user interface; blank without a target"
    )

    @staticmethod
    def get_is_read(notification: Notification) -> bool:
        return notification.read_at is not None


class SentNotificationShape(ResponseSerializer):
    """A message as its senders see it."""

    reads = Permission.NOTIFICATION_SEND

    id = serializers.UUIDField(help_text="The id of the message; every recipient has a notification with its own id")
    type = serializers.ChoiceField(choices=Type.choices)
    title = serializers.CharField()
    message = serializers.CharField()
    priority = serializers.ChoiceField(choices=Priority.choices)
    category = serializers.ChoiceField(choices=Category.choices)
    created_at = serializers.DateTimeField()
    action_url = serializers.CharField(allow_blank=True)
    sent_by = serializers.UUIDField(source="sent_by_id", help_text="A staff member's id")
    recipient_count = serializers.IntegerField(min_value=0)
    read_count = serializers.IntegerField(min_value=0)


class AllReadShape(ResponseSerializer):
    read = serializers.IntegerField(min_value=0, help_text="How many were unread before")
    unread_count = serializers.IntegerField(min_value=0)


class LinkField(serializers.CharField):
    """A path of this installation, as `rules.is_internal_path` checks it, or an empty text."""

    json_schema: ClassVar[dict[str, Any]] = {"pattern": rules.LINK_FORM}
    default_error_messages = {"outside": rules.WRITE_LINK_AS}

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        if not rules.is_internal_path(url):
            self.fail("outside")
        return url


class SendNotificationBody(StrictSerializer):
    recipient_ids = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=services.MAX_RECIPIENTS,
        help_text="Staff; an id sent twice gets one notification",
    )
    recipient_roles = serializers.ListField(
        child=serializers.ChoiceField(choices=[role.value for role in STAFF]),
        required=False,
        help_text="All active staff with these roles",
    )
    type = serializers.ChoiceField(choices=Type.choices, default=Type.INFO.value)
    title = LineField(max_length=MAX_TITLE)
    message = serializers.CharField(max_length=MAX_MESSAGE)
    priority = serializers.ChoiceField(choices=Priority.choices, default=Priority.MEDIUM.value)
    category = serializers.ChoiceField(choices=Category.choices, default=Category.SYSTEM.value)
    action_url = LinkField(
        max_length=rules.MAX_URL,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A path of the user interface that begins with one `/`; no scheme, no `//`",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of `services.send`."""
        ids, roles = attrs.pop("recipient_ids", []), attrs.pop("recipient_roles", [])
        return {"ids": ids, "roles": roles, "notice": services.Notice(**attrs)}
