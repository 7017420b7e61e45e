"""The kit's tables: sign-in attempts, counted here while Redis is unavailable, and replies stored for repeated requests."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

from apps.common import clinic_times

models.BinaryField.register_lookup(Length, "length")


class SignInTry(models.Model):
    """A sign-in attempt of the last minute. `key` contains a digest of the name, not the name."""

    key = models.CharField(max_length=200)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="signintry_of_key")]

    def __str__(self) -> str:
        return clinic_times.moment(self.at)


class WriteProbe(models.Model):
    """One row that the readiness check writes to find out whether the database accepts writes."""

    id = models.SmallIntegerField(primary_key=True)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="writeprobe_one_row")]

    def __str__(self) -> str:
        return clinic_times.moment(self.written_at)


class KeptReply(models.Model):
    """The reply to a request with an Idempotency-Key. `name` is the digest of caller, method, path and key, `asked` that of the
    body; `sealed` contains headers and body, encrypted."""

    name = models.BinaryField(primary_key=True, max_length=32)
    asked = models.BinaryField(max_length=32)
    request_id = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    sealed = models.BinaryField()
    kept_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "stored replies"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__gte=200, status__lt=300) | Q(status=409), name="keptreply_success_or_conflict"
            ),
            models.CheckConstraint(condition=Q(name__length=32) & Q(asked__length=32), name="keptreply_digests"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("kept_at")), name="keptreply_expires_later"),
        ]

    def __str__(self) -> str:
        return f"{self.status} to {self.request_id}"
