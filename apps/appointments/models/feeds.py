"""The calendar that a doctor subscribes to. Its address contains a secret, and the table stores only the secret's digest."""

from typing import Self

from django.db import models
from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments.rights import Permission
from apps.common.models import BaseModel, ClosedQuerySet


class CalendarFeedQuerySet(ClosedQuerySet["CalendarFeed"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the feeds of all doctors for users who plan every schedule; a doctor gets only their own."""
        if not actor.has_permission(Permission.SCHEDULE_KEEP):
            return self.none()
        return self.all() if actor.has_permission(Permission.APPOINTMENT_ANY) else self.filter(doctor=actor.id)


class CalendarFeed(BaseModel):
    """The secret of one doctor's calendar. A new one revokes the previous one. Revoked rows stay."""

    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    secret_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    last_fetched_at = models.DateTimeField(null=True)  # exact to a minute
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["doctor"], condition=Q(revoked_at=None), name="calendar_feed_one_live"),
        ]

    def __str__(self) -> str:
        return f"Calendar of {self.doctor_id}, {'live' if self.is_active else 'revoked'}"

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None
