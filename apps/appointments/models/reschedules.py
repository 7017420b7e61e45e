"""An absent doctor's appointments that were moved together, stored so that users can view the move and undo it once."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments.models.appointments import Appointment
from apps.appointments.models.schedules import Room
from apps.appointments.rights import Permission
from apps.appointments.rules import AppointmentPlace
from apps.common import clinic_times, clock
from apps.common.models import BaseModel, ClosedQuerySet


class BulkRescheduleQuerySet(ClosedQuerySet["BulkReschedule"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns all bulk reschedules for users who plan every schedule; a doctor gets only those of their own schedule."""
        if not actor.has_permission(Permission.SCHEDULE_KEEP):
            return self.none()
        return self.all() if actor.has_permission(Permission.APPOINTMENT_ANY) else self.filter(doctor=actor.id)


class BulkReschedule(BaseModel):
    """A move of the appointments of `doctor` between two instants. It is undone at most once, and the row stays."""

    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    to_doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)  # null: a later time, same doctor
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=400)
    notify_patient = models.BooleanField(default=True)
    moved_at = models.DateTimeField(default=clock.now)
    moved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)

    objects = BulkRescheduleQuerySet.as_manager()

    class Meta:
        verbose_name = "cover for absence"
        verbose_name_plural = "covers for absence"
        ordering = ["-moved_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="bulk_reschedule_ends_later"),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="bulk_reschedule_has_reason"),
            models.CheckConstraint(condition=Q(to_doctor=None) | ~Q(to_doctor=F("doctor")), name="bulk_reschedule_to_another"),
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(undone_at__gte=F("moved_at")), name="bulk_reschedule_undone_later"
            ),
        ]

    def __str__(self) -> str:
        return f"appointments moved on {clinic_times.moment(self.moved_at)}"


class RescheduledAppointment(models.Model):
    """One appointment of a bulk reschedule: its previous place, its new place, and the result of an undo."""

    class Result(models.TextChoices):
        MOVED = "moved"
        PUT_BACK = "put_back"
        KEPT = "kept"  # the undo did not move it back; `because` is the reason

    id = models.BigAutoField(primary_key=True)
    move = models.ForeignKey(BulkReschedule, on_delete=models.PROTECT, related_name="+", db_index=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    from_doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    from_time = models.DateTimeField()
    from_room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+", null=True)
    from_overbook_reason = models.CharField(max_length=400, blank=True)
    to_doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    to_time = models.DateTimeField()
    to_room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+", null=True)
    left_at = models.DateTimeField()  # the appointment's `updated_at` after the move; if it differs, it has changed since
    result = models.CharField(max_length=10, choices=Result, default=Result.MOVED)
    because = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["move", "appointment"], name="rescheduled_once"),
            models.CheckConstraint(condition=Q(result__in=["moved", "put_back", "kept"]), name="rescheduled_result_known"),
            models.CheckConstraint(
                condition=Q(result="kept", because__regex=r"\S") | ~Q(result="kept") & Q(because=""),
                name="rescheduled_kept_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{clinic_times.moment(self.from_time)} → {clinic_times.moment(self.to_time)}"

    @property
    def before(self) -> AppointmentPlace:
        return AppointmentPlace(self.from_doctor_id, self.from_time, self.from_room_id)

    @property
    def after(self) -> AppointmentPlace:
        return AppointmentPlace(self.to_doctor_id, self.to_time, self.to_room_id)
