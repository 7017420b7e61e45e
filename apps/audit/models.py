"""The audit table, partitioned by month (the migration makes it; Django only reads and inserts)."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common import clock
from apps.common.ids import new_id
from apps.common.models import ClosedQuerySet


class AuditQuerySet(ClosedQuerySet):
    def visible_to(self, actor: Actor) -> "AuditQuerySet":
        """Administrators read the trail."""
        return self.all() if actor.may(Permission.AUDIT_VIEW) else self.none()


class AuditEvent(models.Model):
    """One act. `purpose` is empty for treatment and operations, and named where it is not (break-glass, export)."""

    class Outcome(models.TextChoices):
        SUCCESS = "success"
        DENIED = "denied"
        FAILURE = "failure"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=clock.now)
    user_id = models.UUIDField(null=True)
    role = models.CharField(max_length=20, blank=True)
    action = models.CharField(max_length=80)
    outcome = models.CharField(max_length=10, choices=Outcome)
    patient_id = models.UUIDField(null=True)
    object_id = models.UUIDField(null=True)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    purpose = models.CharField(max_length=80, blank=True)
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.outcome}"
