"""The outbox: one row per event, one row per delivery to a listener. And the last run of each scheduled job."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from apps.common import clock
from apps.common.ids import new_id


class OutboxEvent(models.Model):
    """An emitted event. `relayed_at` is set once its delivery rows exist."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=80)
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    actor_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField(default=clock.now)
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="outbox_waiting", condition=Q(relayed_at=None))]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Delivery(models.Model):
    """One event for one listener. Long waits are in `next_attempt_at`, never in a broker's countdown."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        DEAD_LETTERED = "parked", "Failed"  # failed as often as its policy allows (five times); an administrator looks at it

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="+", db_index=False)
    listener = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    last_error = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "listener"], name="delivery_once_per_listener"),
            models.CheckConstraint(condition=Q(status__in=["pending", "done", "parked"]), name="delivery_status_known"),
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | ~Q(status="done"), name="delivery_done_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="delivery_due", condition=Q(status="pending")),
            models.Index(fields=["event"], name="delivery_not_begun", condition=Q(status="pending", attempts=0)),
            models.Index(fields=["id"], name="delivery_failed", condition=Q(status="parked")),
        ]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.listener} {self.status}"


class JobRun(models.Model):
    """The last run of a job that beat starts. `name` is the job's name in the declarations (`DomainConfig.beat`)."""

    name = models.CharField(primary_key=True, max_length=80)
    ran_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # since the last success
    error = models.CharField(max_length=500, blank=True)  # of the last run; empty if it succeeded

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(failures=0, error="") | Q(failures__gt=0), name="job_run_error_of_failure"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.error or 'succeeded'}"
