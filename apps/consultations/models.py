"""The consultation, every save of its steps, acknowledged alerts, addenda, and status changes.

All rows except the consultation itself are only added. A trigger (migration 0002) freezes a consultation with its signature:
after that only an addendum is possible, even by SQL. No save is ever changed or removed.
"""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.common import clinic_times, clock
from apps.common.models import BaseModel, ClosedQuerySet
from apps.common.prepared import Slot
from apps.consultations import rules
from apps.consultations.rights import Permission
from apps.patients.confidentiality.models import open_to
from apps.patients.models import Patient

STATUSES = [(status.value, status.value.replace("_", " ")) for status in rules.Status]
WORKFLOWS = [(workflow.value, workflow.value) for workflow in rules.Workflow]
SAVED_STATES = [(state.value, state.value.replace("_", " ")) for state in (rules.State.IN_PROGRESS, rules.State.COMPLETED)]
LIVE, SIGNED = [status.value for status in rules.LIVE], [status.value for status in rules.SIGNED]


class ConsultationQuerySet(ClosedQuerySet["Consultation"]):
    def visible_to(self, actor: Actor, at: datetime | Slot | None = None) -> Self:
        """Returns the consultations of all patients that the actor may see (now, or at another instant)."""
        return self.filter(open_to(actor, "patient", at)) if actor.has_permission(Permission.CONSULTATION_VIEW) else self.none()

    def hidden_from(self, actor: Actor, at: datetime | Slot | None = None) -> Self:
        """Returns the consultations of restricted charts that the actor may not see."""
        return self.filter(patient__in=Patient.objects.hidden_from(actor, at).order_by().values("pk"))

    def live(self) -> Self:
        """Returns the consultations that have not ended."""
        return self.filter(status__in=LIVE)


class Consultation(BaseModel):
    """A consultation, from its start to its signature. Never deleted.

    `guidance` is the latest result of the adaptive rules, with its facts (see `adaptive.Guidance.as_dict`). `version` counts
    every change. `content_sha256` is the hash of the signed content: the steps at signature.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    workflow_type = models.CharField(max_length=10, choices=WORKFLOWS)
    status = models.CharField(max_length=12, choices=STATUSES, default=rules.Status.IN_PROGRESS.value)
    current_step = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    entered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, help_text="who started it", db_index=False
    )
    guidance = models.JSONField(default=dict, blank=True)
    rule_version = models.CharField(max_length=20, blank=True)
    version = models.PositiveIntegerField(default=1)

    ready_at = models.DateTimeField(null=True, editable=False, help_text="since when it is ready for the doctor")
    ready_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False)

    completed_at = models.DateTimeField(null=True, editable=False)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False)
    override_reason = models.CharField(max_length=400, blank=True, help_text="why it was signed with missing steps")
    content_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        verbose_name = "visit"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in rules.Status]), name="consultation_status_known"
            ),
            models.CheckConstraint(
                condition=Q(workflow_type__in=[workflow.value for workflow in rules.Workflow]), name="consultation_workflow_known"
            ),
            models.CheckConstraint(condition=Q(current_step__lte=10), name="consultation_step_exists"),
            models.CheckConstraint(
                condition=Q(status__in=SIGNED, completed_at__isnull=False, content_sha256__regex=r"^[0-9a-f]{64}$")
                | (~Q(status__in=SIGNED) & Q(completed_at=None, signed_by=None, content_sha256="", override_reason="")),
                name="consultation_signed_whole",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False) | (~Q(status="cancelled") & Q(cancelled_at=None)),
                name="consultation_cancelled_whole",
            ),
            models.CheckConstraint(
                condition=Q(completed_at=None) | Q(completed_at__gte=F("started_at")), name="consultation_ends_later"
            ),
            models.CheckConstraint(
                condition=Q(workflow_type="adaptive") & ~Q(rule_version="") | ~Q(workflow_type="adaptive") & Q(rule_version=""),
                name="consultation_guided_by_a_version",
            ),
            models.UniqueConstraint(
                fields=["appointment"], condition=Q(status__in=LIVE), name="consultation_one_live_of_appointment"
            ),
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="consultation_newest"),
            models.Index(fields=["patient", "-started_at", "-id"], name="consultation_of_patient"),
            models.Index(fields=["doctor", "-started_at", "-id"], name="consultation_of_doctor"),
            models.Index(fields=["doctor", "status", "-started_at", "-id"], name="consultation_of_doctor_status"),
            models.Index(fields=["status", "-started_at", "-id"], name="consultation_by_status"),
            models.Index(fields=["appointment", "-started_at", "-id"], name="consultation_of_visit"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_type} visit {clinic_times.moment(self.started_at)}"


class StepSave(models.Model):
    """One save of one step. The latest version is the step's current data; earlier versions stay, so that nothing entered is
    lost.

    `data` is what was entered, `parsed` the values that the server parsed (blood pressure, names of codes), `outcome` the result
    of a step handler (see `ports`).
    """

    id = models.BigAutoField(primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=SAVED_STATES)
    data = models.JSONField(default=dict, blank=True)
    parsed = models.JSONField(default=dict, blank=True)
    outcome = models.JSONField(default=dict, blank=True)
    saved_at = models.DateTimeField(default=clock.now)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    class Meta:
        ordering = ["consultation", "number", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "number", "version"], name="step_save_version_once"),
            models.CheckConstraint(condition=Q(number__lte=10), name="step_save_step_exists"),
            models.CheckConstraint(condition=Q(version__gte=1), name="step_save_version_counts"),
            models.CheckConstraint(condition=Q(state__in=["in_progress", "completed"]), name="step_save_state_known"),
        ]

    def __str__(self) -> str:
        return f"step {self.number}, version {self.version}"


class Acknowledgement(models.Model):
    """An acknowledged alert of the adaptive rules, with the reason."""

    id = models.BigAutoField(primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="+", db_index=False)
    alert_id = models.CharField(max_length=64)
    rule_id = models.CharField(max_length=60)
    because = models.CharField(max_length=400)
    reason = models.CharField(max_length=400)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "alert_id"], name="acknowledgement_once"),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="acknowledgement_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.reason}"


class VitalAlert(models.Model):
    """An urgent alert of the vital signs, from the value that raised it to the one that cleared it. The doctor acknowledges it
    with an Acknowledgement of the same `alert_id`; an alert that is raised again has another id."""

    id = models.BigAutoField(primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="+", db_index=False)
    alert_id = models.CharField(max_length=64)
    rule_id = models.CharField(max_length=60)
    because = models.CharField(max_length=400)
    message = models.CharField(max_length=400)
    raised_at = models.DateTimeField(default=clock.now)
    raised_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "alert_id"], name="vital_alert_once"),
            models.CheckConstraint(
                condition=Q(cleared_at=None, cleared_by=None) | Q(cleared_at__gte=F("raised_at")),
                name="vital_alert_cleared_later",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.because}"


class Addendum(BaseModel):
    """A text added after the signature, with its own signature."""

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="+", db_index=False)
    text = models.TextField(max_length=4_000)
    signed_at = models.DateTimeField(default=clock.now)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    class Meta:
        ordering = ["signed_at", "id"]
        verbose_name_plural = "addenda"
        constraints = [models.CheckConstraint(condition=Q(text__regex=r"\S"), name="addendum_says_something")]
        indexes = [models.Index(fields=["consultation", "signed_at", "id"], name="addendum_of_consultation")]

    def __str__(self) -> str:
        return f"addendum {clinic_times.moment(self.signed_at)}"


class ConsultationStatusChange(models.Model):
    """A change of a consultation's status or doctor. The first has no `from_status`."""

    id = models.BigAutoField(primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="+", db_index=False)
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12, choices=STATUSES)
    from_doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    to_doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["consultation", "id"], name="consultation_status_change")]

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"
