"""What notifications contributes to the tests of the whole: who may call what, who opens which staff page, and sample rows."""

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.tests.role_table import ADMINISTRATION, EVERY_ROLE, MANAGEMENT, Samples
from apps.accounts.models import User
from apps.notifications import services
from apps.notifications.models import Message, Notification
from apps.notifications.services import Notice

_OWN = "o o o o o o o o"

MATRIX = {
    "GET /notifications": _OWN,
    "PUT /notifications/{id}/read": _OWN,
    "POST /notifications/read-all": _OWN,
    "POST /notifications": ADMINISTRATION,
    "GET /notifications/sent/{id}": ADMINISTRATION,
}


def samples(staff: dict[str, User]) -> Samples:
    """Return a message that the administrator sent."""
    return Samples(ids={"/notifications/sent/": _sent(staff).pk})


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    received = services.notify(by=SYSTEM, notice=Notice(title="Notice", message="Something"), ids=[staff["admin"].pk])
    own, admin = Notification.objects.get(message=received), frozenset({"admin"})
    return {
        reverse("admin:notifications_notification_changelist"): EVERY_ROLE,
        reverse("admin:notifications_notification_change", args=[own.pk]): admin,
        reverse("admin:notifications_message_changelist"): MANAGEMENT,
        reverse("admin:notifications_message_add"): MANAGEMENT,
        reverse("admin:notifications_message_change", args=[_sent(staff).pk]): MANAGEMENT,
    }


def _sent(staff: dict[str, User]) -> Message:
    return services.send(by=staff["admin"], notice=Notice(title="Notice", message="Something"), roles=["admin"])
