"""Appointments, which are never deleted; their status history; series; the queue numbers of each day; the row counter.

The database prevents double bookings, not the services: no two live appointments of one doctor, one patient or one room overlap.
An overbooked appointment (`overbook_*`) does not take the doctor's time. It takes one of the numbered overbook seats of the
doctor's day.
"""

from datetime import datetime
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, Func, OuterRef, Q
from django.db.models.functions import Extract

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.appointments import rules
from apps.appointments.models.schedules import AppointmentType, Room
from apps.appointments.rights import Permission
from apps.appointments.scheduling.recurrence import Frequency, Rhythm
from apps.common import clinic_times, clock
from apps.common.models import BaseModel, ClosedQuerySet
from apps.common.prepared import Slot
from apps.patients.confidentiality.models import open_to
from apps.patients.models import Patient

STATUSES = [(status.value, status.value.replace("_", " ")) for status in rules.Status]
LIVE = [status.value for status in rules.LIVE]


class Triage(models.TextChoices):
    """How soon a waiting patient should be seen."""

    ROUTINE = "routine"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class SeriesQuerySet(ClosedQuerySet["Series"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the series that contain an appointment which the actor may see."""
        return self.filter(Exists(Appointment.objects.visible_to(actor).filter(series=OuterRef("pk"))))


class Series(BaseModel):
    """Appointments that were booked together in one rhythm (`recurrence.Rhythm`)."""

    frequency = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Frequency], default=Frequency.WEEKLY)
    interval = models.PositiveSmallIntegerField(
        default=1, help_text="the number of days, weeks or months between two appointments"
    )
    by_weekday = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True, help_text="0 is Monday")
    by_month_day = models.SmallIntegerField(null=True, blank=True, help_text="-1 is the last day of the month")
    by_set_position = models.SmallIntegerField(null=True, blank=True, help_text="which of the month's weekdays; -1 is the last")
    until = models.DateField(null=True, blank=True, help_text="the last day, inclusive")
    occurrences = models.PositiveSmallIntegerField(
        help_text="the number of requested appointments; conflicting ones were left out"
    )

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name = "repeat booking"
        constraints = [
            models.CheckConstraint(
                condition=Q(frequency="daily", interval__range=(1, 365))
                | Q(frequency="weekly", interval__range=(1, 52))
                | Q(frequency="monthly", interval__range=(1, 12)),
                name="series_rhythm",
            ),
            models.CheckConstraint(
                condition=Q(frequency="monthly") | Q(by_month_day=None, by_set_position=None), name="series_month_parts"
            ),
            models.CheckConstraint(condition=Q(by_weekday__contained_by=[0, 1, 2, 3, 4, 5, 6]), name="series_weekdays"),
            models.CheckConstraint(condition=Q(occurrences__gte=2, occurrences__lte=104), name="series_length"),
        ]

    def __str__(self) -> str:
        return f"{self.occurrences} appointments, {self.rhythm}"

    @classmethod
    def of(cls, rhythm: Rhythm, *, occurrences: int) -> Self:
        """Returns the unsaved row of a rhythm that has so many appointments."""
        return cls(
            frequency=rhythm.frequency,
            interval=rhythm.interval,
            by_weekday=list(rhythm.by_weekday),
            by_month_day=rhythm.by_month_day,
            by_set_position=rhythm.by_set_position,
            until=rhythm.until,
            occurrences=occurrences,
        )

    @property
    def rhythm(self) -> Rhythm:
        """How often the appointments repeat, and how many were requested."""
        return Rhythm(
            frequency=Frequency(self.frequency),
            interval=self.interval,
            by_weekday=tuple(self.by_weekday),
            by_month_day=self.by_month_day,
            by_set_position=self.by_set_position,
            count=self.occurrences,
        )

    @property
    def every_weeks(self) -> int:
        """Returns the interval of a weekly series, and 0 for the others; the API's name says weeks."""
        return self.interval if self.frequency == Frequency.WEEKLY else 0


class AppointmentQuerySet(ClosedQuerySet["Appointment"]):
    def visible_to(self, actor: Actor, at: datetime | Slot | None = None) -> Self:
        """Returns the appointments of all patients that the actor may see (now, or at another instant)."""
        return self.filter(open_to(actor, "patient", at)) if actor.has_permission(Permission.APPOINTMENT_VIEW) else self.none()

    def hidden_from(self, actor: Actor, at: datetime | Slot | None = None) -> Self:
        """Returns the appointments of restricted charts that the actor may not see."""
        return self.filter(patient__in=Patient.objects.hidden_from(actor, at).order_by().values("pk"))

    def live(self) -> Self:
        """Returns the appointments that take a doctor's time."""
        return self.filter(status__in=LIVE)


def _during() -> Func:
    return Func("scheduled_time", "ends_at", RangeBoundary(), function="tstzrange", output_field=DateTimeRangeField())


def _not_twice(what: str, condition: Q) -> ExclusionConstraint:
    return ExclusionConstraint(
        name=f"appointment_{what}_not_twice",
        expressions=[(what, RangeOperators.EQUAL), (_during(), RangeOperators.OVERLAPS)],
        condition=condition,
    )


class Appointment(BaseModel):
    """A requested or booked appointment. It is never deleted: a cancelled appointment stays and frees its time."""

    # These foreign keys have no index of their own: one of the indexes below begins with them, or no query uses them. Each index
    # makes every booking slower.
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False)
    appointment_type = models.CharField(max_length=20, choices=AppointmentType, default=AppointmentType.CONSULTATION)
    status = models.CharField(max_length=12, choices=STATUSES, default=rules.Status.SCHEDULED.value)
    scheduled_time = models.DateTimeField()
    duration_minutes = models.PositiveSmallIntegerField()
    ends_at = models.DateTimeField(editable=False)
    notes = models.TextField(max_length=4_000, blank=True)
    booked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False)

    joins_care_team = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="the user who chose the doctor could add to the care team"
    )

    overbook_reason = models.CharField(max_length=400, blank=True)
    overbook_day = models.DateField(null=True, editable=False)  # in the clinic's time zone
    overbook_seat = models.PositiveSmallIntegerField(null=True, editable=False)

    checked_in_at = models.DateTimeField(null=True, editable=False)
    queue_number = models.PositiveSmallIntegerField(null=True, editable=False)  # the patient's token, numbered anew each day
    triage = models.CharField(max_length=10, choices=Triage, default=Triage.ROUTINE)
    triage_reason = models.CharField(max_length=400, blank=True)

    alert_since = models.DateTimeField(null=True, editable=False)  # marks in the queue, which the consultation sets
    ready_since = models.DateTimeField(null=True, editable=False)
    attending_doctor = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
        db_index=False,
        help_text="the doctor after a handover, while in progress; empty: the booked doctor",
    )

    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancellation_reason = models.CharField(max_length=400, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["-scheduled_time", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in rules.Status]), name="appointment_status_known"
            ),
            models.CheckConstraint(condition=Q(appointment_type__in=AppointmentType.values), name="appointment_type_known"),
            models.CheckConstraint(condition=Q(triage__in=Triage.values), name="appointment_triage_known"),
            models.CheckConstraint(
                condition=Q(duration_minutes__gte=rules.SHORTEST, duration_minutes__lte=rules.LONGEST),
                name="appointment_duration_sensible",
            ),
            models.CheckConstraint(
                condition=Q(
                    duration_minutes=Extract(
                        ExpressionWrapper(F("ends_at") - F("scheduled_time"), output_field=models.DurationField()), "epoch"
                    )
                    / 60
                ),
                name="appointment_ends_after_its_duration",
            ),
            models.CheckConstraint(
                condition=Q(overbook_reason="", overbook_day=None, overbook_seat=None)
                | Q(overbook_reason__regex=r"\S", overbook_day__isnull=False, overbook_seat__isnull=False, overbook_seat__gte=1),
                name="appointment_overbooked_whole",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at=None, cancellation_reason="")),
                name="appointment_cancelled_whole",
            ),
            models.CheckConstraint(
                condition=Q(attending_doctor=None) | Q(status="in_progress"), name="appointment_attended_in_progress"
            ),
            models.UniqueConstraint(
                fields=["doctor", "overbook_day", "overbook_seat"],
                condition=Q(status__in=LIVE, overbook_seat__isnull=False),
                name="appointment_overbook_seat_once",
            ),
            _not_twice("doctor", Q(status__in=LIVE, overbook_seat=None)),
            _not_twice("patient", Q(status__in=LIVE)),
            _not_twice("room", Q(status__in=LIVE, overbook_seat=None, room__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["-scheduled_time", "-id"], name="appointment_newest"),
            models.Index(fields=["doctor", "-scheduled_time", "-id"], name="appointment_of_doctor"),
            models.Index(fields=["doctor", "status", "-scheduled_time", "-id"], name="appointment_of_doctor_status"),
            models.Index(fields=["patient", "-scheduled_time", "-id"], name="appointment_of_patient"),
            models.Index(fields=["status", "-scheduled_time", "-id"], name="appointment_by_status"),
            models.Index(fields=["series"], condition=Q(series__isnull=False), name="appointment_of_series"),
            models.Index(fields=["checked_in_at"], condition=Q(checked_in_at__isnull=False), name="appointment_came"),
            models.Index(
                fields=["doctor", "appointment_type", "-scheduled_time", "-id"],
                condition=Q(status="completed"),
                name="appointment_seen",
            ),
        ]

    @property
    def attending(self) -> User:
        """Returns the doctor who sees the patient: the booked one, unless the consultation was handed over."""
        return self.attending_doctor or self.doctor

    def __str__(self) -> str:
        return f"{self.appointment_type.replace('_', ' ')} {clinic_times.moment(self.scheduled_time)}"


class StatusChange(models.Model):
    """A change of an appointment's status. The first has no `from_status`. Rows are only added."""

    id = models.BigAutoField(primary_key=True)
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="+")
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12, choices=STATUSES)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    reason = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(from_status=F("to_status")), name="status_change_changes")]

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"


class Queue(models.Model):
    """The last token assigned on a day."""

    day = models.DateField(primary_key=True)
    last_number = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "queue of a day"

    def __str__(self) -> str:
        return f"{self.day}: {self.last_number}"
