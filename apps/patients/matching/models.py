"""The queue of possible duplicates: pairs of records that may be one person's, and the progress of the scan for them."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.common import clock
from apps.common.ids import new_id
from apps.common.models import ClosedQuerySet
from apps.patients.confidentiality.models import open_to
from apps.patients.rights import Permission


class DuplicateCandidateQuerySet(ClosedQuerySet["DuplicateCandidate"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see pairs of records that are both open to them."""
        if not actor.has_permission(Permission.PATIENT_DUPLICATES):
            return self.none()
        return self.filter(open_to(actor, "low"), open_to(actor, "high"))


class DuplicateCandidate(models.Model):
    """Two records that may be one person's, until a user merges them or marks them as two people: then the row is deleted.

    Triggers delete it, and refuse one for a pair that is marked as two people or a record that was merged.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    low = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+", db_index=False)
    high = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    reasons = ArrayField(models.CharField(max_length=30))
    found_at = models.DateTimeField(default=clock.now)

    objects = DuplicateCandidateQuerySet.as_manager()

    class Meta:
        ordering = ["-score", "found_at", "id"]
        indexes = [models.Index(fields=["-score", "found_at", "id"], name="duplicate_candidate_queue")]
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="duplicate_candidate_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="duplicate_candidate_in_order"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="duplicate_candidate_score_is_a_share"),
            models.CheckConstraint(condition=Q(reasons__len__gt=0), name="duplicate_candidate_has_reasons"),
        ]

    def __str__(self) -> str:
        return f"{self.low} and {self.high}"


class DuplicateScan(models.Model):
    """The progress of `find_duplicates` through the patients, in the order of `seq`."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    looked_at = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="duplicate_scan_one")]

    def __str__(self) -> str:
        return f"{self.looked_at} looked at"
