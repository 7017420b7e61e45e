"""Merges: two records of one person became one, the moved rows, the open items of an undo; and pairs that are two people."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.common import clock
from apps.common.ids import new_id
from apps.common.models import BaseModel, ClosedQuerySet
from apps.patients.confidentiality.models import open_to
from apps.patients.rights import Permission


class MergeQuerySet(ClosedQuerySet["Merge"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see merges of records that are open to them."""
        if not actor.has_permission(Permission.PATIENT_MERGE):
            return self.none()
        return self.filter(open_to(actor, "retired"), open_to(actor, "survivor"))


class TriageQuerySet(ClosedQuerySet["MergeTriage"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the open items of the merges that the actor sees."""
        if not actor.has_permission(Permission.PATIENT_MERGE):
            return self.none()
        return self.filter(open_to(actor, "merge__retired"), open_to(actor, "merge__survivor"))


class NotDuplicateQuerySet(ClosedQuerySet["NotDuplicate"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns, to those who see the queue of duplicates, the pairs of records that are open to them."""
        if not actor.has_permission(Permission.PATIENT_DUPLICATES):
            return self.none()
        return self.filter(open_to(actor, "low"), open_to(actor, "high"))


class Merge(BaseModel):
    """Two records of one person were merged: `retired` leads to `survivor` from then on. `undone_at` is set once it was undone.

    `fields` contains, for each column of the survivor that can be chosen, its value `before` and `after`: equal ones too, so that
    an undo sees what was changed since.
    """

    retired = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    survivor = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=400)
    fields = models.JSONField(default=dict)
    merged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    merged_at = models.DateTimeField(default=clock.now)
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    undone_at = models.DateTimeField(null=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        ordering = ["-merged_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["retired"], condition=Q(undone_at=None), name="merge_once_at_a_time"),
            models.CheckConstraint(condition=~Q(retired=F("survivor")), name="merge_of_two"),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="merge_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.retired} into {self.survivor}"


class MergedRow(models.Model):
    """The ledger: one row that a merge moved from the retired record to the survivor. `column` is the foreign key that moved."""

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="+", db_index=False)
    model = models.CharField(max_length=80)
    column = models.CharField(max_length=63)
    row_id = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "model", "column", "row_id"], name="merged_row_once")]

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"


class MergeTriage(models.Model):
    """After an undo: a row created, or a field changed, on the survivor since the merge. A user assigns it."""

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="+", db_index=False)
    model = models.CharField(max_length=80)
    row_id = models.CharField(max_length=64)
    note = models.CharField(max_length=400, blank=True)
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    settled_at = models.DateTimeField(null=True)

    objects = TriageQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "merge triage"
        constraints = [models.UniqueConstraint(fields=["merge", "model", "row_id"], name="merge_triage_once")]

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"


class NotDuplicate(models.Model):
    """A user recorded that these two records are two people. The pair is never suggested as a duplicate again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    low = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+", db_index=False)
    high = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(default=clock.now)

    objects = NotDuplicateQuerySet.as_manager()

    class Meta:
        verbose_name = "pair of two people"
        verbose_name_plural = "pairs of two people"
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="not_duplicate_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="not_duplicate_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} is not {self.high_id}"
