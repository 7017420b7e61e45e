"""Rooms, and when each doctor works: weekly hours, appointment lengths, time off."""

from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, IntegerRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, IntegerField, Q, Value, When
from django.db.models.functions import Extract, Lower

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.accounts.rights import Permission as AccountPermission
from apps.appointments import rules
from apps.appointments.rights import Permission
from apps.common import clinic_times, clock
from apps.common.models import BaseModel, ClosedQuerySet, M
from apps.common.text import isolated

_HALF_OPEN, _CLOSED = RangeBoundary(), RangeBoundary(inclusive_upper=True)


class AppointmentType(models.TextChoices):
    CONSULTATION = "consultation"
    FOLLOW_UP = "follow_up"
    PROCEDURE = "procedure"
    VACCINATION = "vaccination"
    LAB = "lab"
    TELEHEALTH = "telehealth"
    EMERGENCY = "emergency"


class RoomQuerySet(ClosedQuerySet["Room"]):
    def visible_to(self, actor: Actor) -> Self:
        """Users who book see the rooms."""
        return self.all() if actor.has_permission(Permission.ROOM_VIEW) else self.none()


class Room(BaseModel):
    """A room for appointments. A closed room stays, because past appointments refer to it."""

    name = models.CharField(max_length=60)
    location = models.CharField(max_length=100, blank=True, help_text="the site or floor it is on")
    is_active = models.BooleanField(default=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ["location", "name"]
        constraints = [
            models.UniqueConstraint(Lower("location"), Lower("name"), name="room_once"),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="room_named"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.location}" if self.location else self.name


class OfDoctorQuerySet(ClosedQuerySet[M]):
    def visible_to(self, actor: Actor) -> Self:
        """Users who see the doctors see their working hours."""
        return self.all() if actor.has_permission(AccountPermission.DOCTOR_VIEW) else self.none()


class DoctorSchedule(models.Model):
    """A doctor's slot length, and how many appointments a day can be overbooked in addition to the free slots."""

    doctor = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True, related_name="+")
    slot_minutes = models.PositiveSmallIntegerField(default=rules.SLOT_MINUTES)
    overbook_per_day = models.PositiveSmallIntegerField(default=rules.OVERBOOK_PER_DAY)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    objects = OfDoctorQuerySet.as_manager()

    class Meta:
        verbose_name = "schedule"
        constraints = [
            models.CheckConstraint(
                condition=Q(slot_minutes__gte=rules.SHORTEST, slot_minutes__lte=rules.LONGEST), name="schedule_slot_sensible"
            ),
            models.CheckConstraint(condition=Q(overbook_per_day__lte=50), name="schedule_overbooking_bounded"),
        ]

    def __str__(self) -> str:
        return f"Hours of {isolated(self.doctor.full_name)}"


class AppointmentLength(models.Model):
    """How long a doctor takes for an appointment type, if that is not one slot."""

    schedule = models.ForeignKey(DoctorSchedule, on_delete=models.PROTECT, related_name="+", db_index=False)
    appointment_type = models.CharField(max_length=20, choices=AppointmentType)
    minutes = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "appointment_type"], name="appointment_length_once"),
            models.CheckConstraint(
                condition=Q(minutes__gte=rules.SHORTEST, minutes__lte=rules.LONGEST), name="appointment_length_sensible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appointment_type}: {self.minutes} min"


def _second_of_day(column: str) -> Func:
    return Func(Extract(F(column), "epoch"), template="(%(expressions)s)::integer")


def _last_second(column: str) -> Case:
    """Returns the end of the hours in seconds of the day. 00:00 as an end is PostgreSQL's 24:00, which Python's time does not
    have."""
    return Case(When(**{column: rules.MIDNIGHT}, then=Value(86_400)), default=_second_of_day(column), output_field=IntegerField())


class WorkingHours(models.Model):
    """Published hours on one weekday (0 is Monday), in the clinic's local time. A day with a break has several rows."""

    schedule = models.ForeignKey(DoctorSchedule, on_delete=models.PROTECT, related_name="+")
    weekday = models.PositiveSmallIntegerField()
    starts = models.TimeField()
    ends = models.TimeField(help_text="00:00 is the midnight that ends the day")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True, help_text="the last day; empty: no end")

    class Meta:
        ordering = ["weekday", "starts"]
        verbose_name_plural = "working hours"
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="working_hours_weekday"),
            models.CheckConstraint(condition=Q(starts__lt=F("ends")) | Q(ends=rules.MIDNIGHT), name="working_hours_end_later"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lte=F("valid_until")),
                name="working_hours_valid",
            ),
            ExclusionConstraint(
                name="working_hours_do_not_overlap",
                expressions=[
                    ("schedule", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    (
                        Func("valid_from", "valid_until", _CLOSED, function="daterange", output_field=DateRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            _second_of_day("starts"),
                            _last_second("ends"),
                            _HALF_OPEN,
                            function="int4range",
                            output_field=IntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {rules.clock_time(self.starts)} to {rules.clock_time(self.ends, is_end=True)}"


class TimeOff(BaseModel):
    """A doctor is away from `starts_at` until before `ends_at`. Removing time off deletes the row; the audit log has both
    events."""

    doctor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False)

    objects = OfDoctorQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name_plural = "time off"
        constraints = [models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="time_off_ends_later")]
        indexes = [models.Index(fields=["doctor", "ends_at"], name="time_off_of_doctor")]

    def __str__(self) -> str:
        return f"{clinic_times.moment(self.starts_at)} to {clinic_times.moment(self.ends_at)}"
