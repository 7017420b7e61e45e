"""The waitlist: patients who want an earlier appointment, and the freed times that they were offered.

An offer reserves nothing. The time stays free for all, and accepting an offer is a normal booking. Therefore no reservation can
leak, and nothing needs cleaning up after a worker that died.
"""

from typing import Self

from django.db import models
from django.db.models import Case, F, IntegerField, Q, Value, When

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments import rules
from apps.appointments.models.appointments import Appointment
from apps.appointments.models.schedules import AppointmentType, Room
from apps.appointments.rights import Permission
from apps.common import clinic_times, clock
from apps.common.models import BaseModel, ClosedQuerySet
from apps.patients.confidentiality.models import open_to
from apps.patients.models import Patient


class WaitPriority(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class WaitStatus(models.TextChoices):
    WAITING = "waiting"
    BOOKED = "booked"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class OfferStatus(models.TextChoices):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


_RANK = Case(
    *(When(priority=one, then=Value(place)) for place, one in enumerate(reversed(WaitPriority.values))),
    output_field=IntegerField(),
)


def _own(actor: Actor, doctor: str) -> Q:
    return Q() if actor.has_permission(Permission.APPOINTMENT_ANY) else Q(**{doctor: actor.id}) | Q(**{doctor: None})


class WaitlistQuerySet(ClosedQuerySet["WaitlistEntry"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the entries of all patients that the actor may see; a doctor gets only the entries for that doctor or for any
        doctor."""
        if not actor.has_permission(Permission.WAITLIST_VIEW):
            return self.none()
        return self.filter(open_to(actor, "patient"), _own(actor, "doctor"))

    def ranked(self) -> Self:
        """Orders the entries by priority, then by waiting time, the longest first."""
        return self.annotate(rank=_RANK).order_by("rank", "created_at", "id")


class WaitlistEntry(BaseModel):
    """A patient who waits for a free time. Never deleted. Days and times are in the clinic's time zone; both ends are
    included."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, blank=True)  # null: any
    appointment_type = models.CharField(max_length=20, choices=AppointmentType, default=AppointmentType.CONSULTATION)
    duration_minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="empty: the usual length of the doctor")
    date_from = models.DateField()
    date_to = models.DateField()
    time_from = models.TimeField(null=True, blank=True)
    time_to = models.TimeField(null=True, blank=True)
    priority = models.CharField(max_length=10, choices=WaitPriority, default=WaitPriority.MEDIUM)
    note = models.CharField(max_length=400, blank=True)
    status = models.CharField(max_length=10, choices=WaitStatus, default=WaitStatus.WAITING, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+", null=True, editable=False)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False)

    objects = WaitlistQuerySet.as_manager()

    class Meta:
        verbose_name = "waiting list entry"
        verbose_name_plural = "waiting list entries"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=WaitStatus.values), name="waitlist_status_known"),
            models.CheckConstraint(condition=Q(priority__in=WaitPriority.values), name="waitlist_priority_known"),
            models.CheckConstraint(condition=Q(appointment_type__in=AppointmentType.values), name="waitlist_type_known"),
            models.CheckConstraint(condition=Q(date_from__lte=F("date_to")), name="waitlist_days_in_order"),
            models.CheckConstraint(
                condition=Q(time_from=None, time_to=None)
                | Q(time_from__isnull=False, time_to__isnull=False, time_from__lt=F("time_to")),
                name="waitlist_times_in_order",
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes=None) | Q(duration_minutes__gte=rules.SHORTEST, duration_minutes__lte=rules.LONGEST),
                name="waitlist_duration_sensible",
            ),
            models.CheckConstraint(
                condition=Q(status="booked", appointment__isnull=False) | (~Q(status="booked") & Q(appointment=None)),
                name="waitlist_booked_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["date_to", "created_at"], condition=Q(status="waiting"), name="waitlist_waiting"),
            models.Index(fields=["patient"], name="waitlist_of_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.appointment_type} from {clinic_times.day(self.date_from)} to {clinic_times.day(self.date_to)}"


class FreedSlotOffer(models.Model):
    """A freed time of a doctor that is worth offering. `id` is the id of the event that freed it. The row stays open until the
    time is booked or past, even while all patients who fit have another open offer."""

    id = models.UUIDField(primary_key=True)
    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="freed_slot_offer_ends_later")]
        indexes = [models.Index(fields=["starts_at"], condition=Q(is_open=True), name="freed_slot_offer_to_come")]

    def __str__(self) -> str:
        return clinic_times.moment(self.starts_at)


class OfferQuerySet(ClosedQuerySet["WaitlistOffer"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the offers of the entries that the actor may see."""
        if not actor.has_permission(Permission.WAITLIST_VIEW):
            return self.none()
        return self.filter(open_to(actor, "entry__patient"), _own(actor, "entry__doctor"))


class WaitlistOffer(BaseModel):
    """A freed time that was offered to a waiting patient until `expires_at`. `opening` is the id of the event that freed it."""

    entry = models.ForeignKey(WaitlistEntry, on_delete=models.PROTECT, related_name="+", db_index=False)
    opening = models.UUIDField()
    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+", null=True)
    scheduled_time = models.DateTimeField()
    duration_minutes = models.PositiveSmallIntegerField()
    free_minutes = models.PositiveSmallIntegerField()  # the whole freed time, for the next offer
    rank = models.PositiveSmallIntegerField()
    offered_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=OfferStatus, default=OfferStatus.OPEN)
    settled_at = models.DateTimeField(null=True)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+", null=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = "offer"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OfferStatus.values), name="offer_status_known"),
            models.CheckConstraint(condition=Q(expires_at__lte=F("scheduled_time")), name="offer_ends_before_the_visit"),
            models.CheckConstraint(condition=Q(duration_minutes__lte=F("free_minutes")), name="offer_fits"),
            models.CheckConstraint(
                condition=Q(status="accepted", appointment__isnull=False) | (~Q(status="accepted") & Q(appointment=None)),
                name="offer_accepted_whole",
            ),
            models.CheckConstraint(
                condition=Q(status="open", settled_at=None) | (~Q(status="open") & Q(settled_at__isnull=False)),
                name="offer_settled_whole",
            ),
            models.UniqueConstraint(fields=["entry"], condition=Q(status="open"), name="offer_one_open_an_entry"),
            models.UniqueConstraint(fields=["entry", "opening"], name="offer_once_an_opening"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status="open"), name="offer_due"),
            models.Index(fields=["opening"], name="offer_of_opening"),
        ]

    def __str__(self) -> str:
        return f"{clinic_times.moment(self.scheduled_time)}, {self.status}"
