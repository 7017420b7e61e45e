"""Restricted charts: the care team, the decisions, emergency access; and the one filter that hides restricted charts.

A restricted chart is visible to its care team and to users with emergency access, for four hours. For all others it does not
exist: not in a list, a count, a search or a merge. Every queryset that shows patient data is filtered by `open_to`:

    Appointment.objects.filter(open_to(actor, "patient"))
"""

from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.common import clinic_times, clock
from apps.common.models import BaseModel, ClosedQuerySet
from apps.common.prepared import Slot
from apps.patients.rights import Permission


def open_to(actor: Actor, path: str = "", at: datetime | Slot | None = None) -> Q:
    """Returns a filter: charts that are not restricted, and restricted ones that this actor may see.

    `path` leads from the queryset's model to the patient. The system sees all. A user who no longer works in care sees no
    restricted chart, even as a member of a team.

    Rows that belong to a patient are those of no closed chart: PostgreSQL reads the few restricted charts from their index. By a
    condition on the joined patient it read all patients in order to count a page's rows (38 to 51 ms at 100,000 patients, now 4).
    """
    if actor.id is None:
        return Q()
    if path:
        patient: Any = CareTeamMember._meta.get_field("patient").related_model
        return Q(~Exists(patient.objects.hidden_from(actor, at).order_by().filter(pk=OuterRef(path))))
    membership = {"patient": OuterRef("pk"), "user": actor.id}
    condition = Q(restricted=False)
    if actor.has_permission(Permission.PATIENT_CARE_TEAM):
        condition |= Q(Exists(CareTeamMember.objects.filter(**membership)))
    if actor.has_permission(Permission.PATIENT_BREAK_GLASS):
        condition |= Q(Exists(BreakGlass._base_manager.filter(**membership, until__gt=at or clock.now())))
    return condition


def led_to_open(actor: Actor) -> Q:
    """Returns a filter of patients by their own ids, retired ones too: open themselves, and not merged into a closed chart."""
    if actor.id is None:
        return Q()
    return open_to(actor) & (Q(merged_into=None) | open_to(actor, "merged_into"))


class CareTeamMember(models.Model):
    """A user who sees the patient's chart although it is restricted: a named member, or a doctor with a consultation (`visit`) or
    a live or completed appointment.

    Doctors are added whether or not the chart is restricted (`services.join_care_team`), and removed when the last consultation
    or appointment that made them members is cancelled (`services.leave_care_team`).
    """

    class Because(models.TextChoices):
        NAMED = "named"
        VISIT = "visit"
        APPOINTMENT = "appointment"

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    because = models.CharField(max_length=11, choices=Because)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    added_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "user", "because"], name="care_team_once"),
            models.CheckConstraint(condition=Q(because__in=["named", "visit", "appointment"]), name="care_team_because_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.patient_id}"


class RestrictionQuerySet(ClosedQuerySet["Restriction"]):
    def visible_to(self, actor: Actor) -> Self:
        """Users who may restrict charts see the decisions, also of charts that are closed to them."""
        return self.all() if actor.has_permission(Permission.PATIENT_RESTRICT) else self.none()


class Restriction(BaseModel):
    """A decision: this chart is restricted from now on, or no longer. `care_team` are the members named then. Append-only."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+")
    restricted = models.BooleanField()
    care_team = ArrayField(models.UUIDField(), default=list, blank=True)
    reason = models.CharField(max_length=400)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(default=clock.now)

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at", "-pk"]
        verbose_name = "restricted chart"
        constraints = [models.CheckConstraint(condition=Q(reason__regex=r"\S.{8,}\S"), name="restriction_has_reason")]

    def __str__(self) -> str:
        return f"{clinic_times.moment(self.decided_at)} {'restricted' if self.restricted else 'open'}"


class BreakGlassQuerySet(ClosedQuerySet["BreakGlass"]):
    def visible_to(self, actor: Actor) -> Self:
        """Users who review emergency access see all of it."""
        return self.all() if actor.has_permission(Permission.GLASS_REVIEW) else self.none()


class BreakGlass(BaseModel):
    """One user opened one restricted chart in an emergency; the access ends at `until`. A reviewer signs it off."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=400)
    broken_at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    reviewed_at = models.DateTimeField(null=True)
    review = models.CharField(max_length=400, blank=True, help_text="what the reviewer found")

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        ordering = ["-broken_at", "-id"]
        verbose_name = "emergency access"
        verbose_name_plural = "emergency accesses"
        constraints = [
            models.CheckConstraint(condition=Q(reason__regex=r"\S.{8,}\S"), name="break_glass_has_reason"),
            models.CheckConstraint(condition=Q(until__gte=F("broken_at")), name="break_glass_ends_later"),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, review="") | Q(reviewed_at__isnull=False) & Q(review__regex=r"\S"),
                name="break_glass_review_whole",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("user")), name="break_glass_not_reviewed_by_oneself"
            ),
        ]
        indexes = [models.Index(fields=["patient", "user", "-until"], name="break_glass_live")]

    def __str__(self) -> str:
        return f"{self.user_id} until {clinic_times.moment(self.until)}"
