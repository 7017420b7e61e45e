"""What the safety checks know, row by row with its source. Nothing is edited in place: a change is another row.

A trigger (migration 0002) lets a row only be reviewed and retired, each once. `number` of the newest version is stored with every
alert that is shown.
"""

from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.common import clock
from apps.common.models import BaseModel, ClosedQuerySet
from apps.prescriptions.rights import Permission
from apps.prescriptions.safety.tables import TABLES


class KnowledgeVersion(models.Model):
    """A state of the knowledge. Each change of an entry makes one."""

    number = models.PositiveIntegerField(primary_key=True)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    reason = models.CharField(max_length=400)

    class Meta:
        verbose_name = "version of the drug knowledge"
        verbose_name_plural = "versions of the drug knowledge"

    def __str__(self) -> str:
        return f"version {self.number}"


class KnowledgeQuerySet(ClosedQuerySet["KnowledgeEntry"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns all entries to those who may read the knowledge."""
        return self.all() if actor.has_permission(Permission.KNOWLEDGE_VIEW) else self.none()

    def current(self) -> Self:
        """Returns the entries in force."""
        return self.filter(retired_at=None)


class KnowledgeEntry(BaseModel):
    """One row of a table of the knowledge (`safety.tables`): two drugs that interact, a dose limit, the member of a class.

    `key` names what the row is about, so that one row about it is in force. Without an `author` it came with HIMS. A row without
    a `reviewer` was not reviewed by a clinician, and pages say so.
    """

    table = models.CharField(max_length=20, choices=[(table, table.replace("_", " ")) for table in TABLES])
    key = models.CharField(max_length=300)
    title = models.CharField(max_length=300)  # the key in words: MAO inhibitors + triptans
    data = models.JSONField()
    source = models.CharField(max_length=300)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False)
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False)
    reviewed_at = models.DateTimeField(null=True, editable=False)
    since_version = models.PositiveIntegerField(editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    objects = KnowledgeQuerySet.as_manager()

    class Meta:
        ordering = ("table", "key", "id")
        constraints = [
            models.CheckConstraint(condition=Q(table__in=TABLES), name="knowledge_table_known"),
            models.CheckConstraint(condition=Q(source__regex=r"\S"), name="knowledge_has_source"),
            models.UniqueConstraint(fields=["table", "key"], condition=Q(retired_at=None), name="knowledge_once_in_force"),
            models.CheckConstraint(
                condition=Q(reviewer=None, reviewed_at=None) | Q(reviewer__isnull=False, reviewed_at__isnull=False),
                name="knowledge_reviewed_whole",
            ),
            models.CheckConstraint(
                condition=Q(author=None) | Q(reviewer=None) | ~Q(author=F("reviewer")), name="knowledge_reviewed_by_another"
            ),
        ]
        verbose_name = "entry of the drug knowledge"
        verbose_name_plural = "entries of the drug knowledge"

    def __str__(self) -> str:
        return self.title

    @property
    def parts(self) -> tuple[str, str]:
        """Returns the title in its two parts; the second is empty for a rule about one thing."""
        separator = " + " if self.table == "interactions" else ": "
        first, _, second = self.title.partition(separator)
        return first, second
