"""The queue of possible duplicates: pairs of records that may be one person's, and the progress of the scan for them."""

from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.accounts.models import User
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

    def matched_by(self, actor: Actor) -> Self:
        """Returns also the pairs that roles see on the pages of their patients: those who may match patients."""
        if not actor.has_permission(Permission.PATIENT_MATCH):
            return self.visible_to(actor)
        return self.filter(open_to(actor, "low"), open_to(actor, "high"))


class DuplicateCandidate(models.Model):
    """Two records that may be one person's, until a user merges them or marks them as two people: then the row is deleted.

    Triggers delete it, and refuse one for a pair that is marked as two people or a record that was merged. A user who may not
    merge asks the administrators to: `merge_keeps` is the record that stays in their opinion. The request ends with the pair.
    """

    class Keeps(models.TextChoices):
        LOW = "low"
        HIGH = "high"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    low = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+", db_index=False)
    high = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    reasons = ArrayField(models.CharField(max_length=30))
    found_at = models.DateTimeField(default=clock.now)
    merge_asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    merge_asked_at = models.DateTimeField(null=True)
    merge_keeps = models.CharField(max_length=4, choices=Keeps, blank=True, default="", db_default="")
    merge_reason = models.CharField(max_length=400, blank=True, default="", db_default="")

    objects = DuplicateCandidateQuerySet.as_manager()

    class Meta:
        ordering = ["-score", "found_at", "id"]
        indexes = [models.Index(fields=["-score", "found_at", "id"], name="duplicate_candidate_queue")]
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="duplicate_candidate_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="duplicate_candidate_in_order"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="duplicate_candidate_score_is_a_share"),
            models.CheckConstraint(condition=Q(reasons__len__gt=0), name="duplicate_candidate_has_reasons"),
            models.CheckConstraint(
                condition=Q(merge_asked_at__isnull=False, merge_asked_by__isnull=False, merge_keeps__in=["low", "high"])
                | Q(merge_asked_at=None, merge_asked_by=None, merge_keeps="", merge_reason=""),
                name="duplicate_candidate_request_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.low} and {self.high}"

    @property
    def kept_id(self) -> UUID | None:
        """The record that stays, if a merge was asked for."""
        return {self.Keeps.LOW.value: self.low_id, self.Keeps.HIGH.value: self.high_id}.get(self.merge_keeps)


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
