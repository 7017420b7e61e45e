"""The audit table, partitioned by month (the migration creates it; Django only reads and inserts), and its seals.

The database refuses to change or remove a row of the log, a seal or an anchor.
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.access.actor import Actor
from apps.audit.rights import Permission
from apps.common import clinic_times, clock
from apps.common.ids import new_id
from apps.common.models import ClosedQuerySet


class AuditQuerySet(ClosedQuerySet["AuditEvent"]):
    def visible_to(self, actor: Actor) -> "AuditQuerySet":
        """Administrators read the audit log."""
        return self.all() if actor.has_permission(Permission.AUDIT_VIEW) else self.none()


class AuditEvent(models.Model):
    """One action. `purpose` is empty for treatment and operations, and named otherwise (break-glass, export)."""

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
        return f"{clinic_times.moment(self.at)} {self.action} {self.outcome}"


class Seal(models.Model):
    """One sealed row: its position in the chain, and the HMAC over the previous seal, the position and the row (see `chain`)."""

    sequence = models.BigIntegerField(primary_key=True)  # without gaps, in the order of sealing
    event_id = models.UUIDField()
    at = models.DateTimeField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_seal"
        ordering = ["sequence"]
        constraints = [
            models.UniqueConstraint(fields=["event_id", "at"], name="seal_once_per_row"),
            models.CheckConstraint(condition=models.Q(sequence__gte=1), name="seal_sequence_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.event_id}"


class Anchor(models.Model):
    """The state of the chain when a day (UTC) had ended. The server's log, outside the database, contains the same line."""

    day = models.DateField(primary_key=True)
    sequence = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_anchor"
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.sequence}"


class Chain(models.Model):
    """The one row with the progress of sealing. `mac` covers it, so that cutting off the end of the chain is detected.

    `secret` is the key of all seals, encrypted with the key ring. `reach` is the latest time of a sealed row, never ahead of the
    database's clock; `swept` when late rows were last searched for; `anchored_on` the day that has no anchor yet.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    secret = models.BinaryField()
    sequence = models.BigIntegerField(default=0)
    hash = models.BinaryField()
    reach = models.DateTimeField(null=True)
    swept = models.DateTimeField(null=True)
    anchored_on = models.DateField(null=True)
    mac = models.BinaryField()

    class Meta:
        db_table = "audit_chain"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_chain")]

    def __str__(self) -> str:
        return f"sealed up to {self.sequence}"


class VerificationProgress(models.Model):
    """How far the worker has verified the log, one row. `mac` covers it, so that it cannot be moved forward by hand.

    The current pass has verified the seals up to `sequence`, whose seal is `hash`. Once it has reached the end, `is_whole` is
    true and it follows the chain. `trusted` is the last seal up to which this or an earlier pass was intact: a request verifies
    from there. `broken` is the first flaw of the last pass, None without one.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.BinaryField()
    is_whole = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    trusted = models.BigIntegerField(default=0)
    trusted_hash = models.BinaryField()
    finished_at = models.DateTimeField(null=True)  # when a pass last reached the end without a flaw
    broken = models.JSONField(null=True)
    mac = models.BinaryField()

    class Meta:
        db_table = "audit_verification"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_verification"),
            models.CheckConstraint(condition=models.Q(sequence__gte=0, trusted__gte=0), name="verification_places_from_zero"),
        ]

    def __str__(self) -> str:
        return f"verified up to {self.sequence}"
