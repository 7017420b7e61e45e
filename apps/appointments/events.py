"""The events of `appointments`. They contain ids, states, times and column names, but no name, note or reason."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class _AppointmentEvent(Event):
    appointment_id: UUID
    patient_id: UUID
    doctor_id: UUID
    scheduled_time: datetime
    status: str

    @property
    def subject_id(self) -> UUID:
        return self.appointment_id


@dataclass(frozen=True, kw_only=True)
class AppointmentBooked(_AppointmentEvent, name="appointment.created"):
    """An appointment was booked, or requested (`requested`). `with_series`: as part of a new series, which is announced too."""

    with_series: bool = False


@dataclass(frozen=True, kw_only=True)
class AppointmentUpdated(_AppointmentEvent, name="appointment.updated"):
    """`changes` are the names of the columns that changed. `notify_patient` is the choice of the user who changed them.

    `left_*` describe the doctor's time that the appointment no longer takes in full, because it was cancelled, missed, moved,
    shortened or given to another doctor. They are empty if it left no time.
    """

    changes: tuple[str, ...]
    notify_patient: bool = False
    left_doctor_id: UUID | None = None
    left_at: datetime | None = None
    left_minutes: int | None = None
    left_room_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class AppointmentsImported(Event, name="appointment.taken_over"):
    """Past appointments of another system or of paper records were imported with their history."""

    visits: int


@dataclass(frozen=True, kw_only=True)
class _DoctorEvent(Event):
    doctor_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.doctor_id


@dataclass(frozen=True, kw_only=True)
class ScheduleChanged(_DoctorEvent, name="schedule.changed"):
    """A doctor's hours, slot length or appointment lengths changed."""


@dataclass(frozen=True, kw_only=True)
class TimeOffAdded(_DoctorEvent, name="schedule.time_off_added"):
    time_off_id: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class TimeOffRemoved(_DoctorEvent, name="schedule.time_off_removed"):
    time_off_id: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class SeriesBooked(Event, name="appointment.series_booked"):
    """Appointments were booked together. Each was announced by itself before."""

    series_id: UUID
    patient_id: UUID
    doctor_id: UUID
    every_weeks: int  # 0 if the series is not weekly
    frequency: str
    interval: int
    booked: int

    @property
    def subject_id(self) -> UUID:
        return self.series_id


@dataclass(frozen=True, kw_only=True)
class _BulkRescheduleEvent(_DoctorEvent):
    move_id: UUID
    visits: int

    @property
    def subject_id(self) -> UUID:
        return self.move_id


@dataclass(frozen=True, kw_only=True)
class AppointmentsRescheduled(_BulkRescheduleEvent, name="schedule.visits_moved"):
    """An absent doctor's appointments were moved. Each was announced by itself before."""

    to_doctor_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class BulkRescheduleUndone(_BulkRescheduleEvent, name="schedule.visits_put_back"):
    """A bulk reschedule was undone. `visits` is the number of appointments that moved back."""


@dataclass(frozen=True, kw_only=True)
class CalendarFeedMade(_DoctorEvent, name="schedule.calendar_feed_made"):
    """A doctor's calendar has a new address. The previous one is revoked."""

    feed_id: UUID


@dataclass(frozen=True, kw_only=True)
class CalendarFeedRevoked(_DoctorEvent, name="schedule.calendar_feed_revoked"):
    feed_id: UUID


@dataclass(frozen=True, kw_only=True)
class _RoomEvent(Event):
    room_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.room_id


@dataclass(frozen=True, kw_only=True)
class RoomAdded(_RoomEvent, name="room.added"):
    """A room for appointments was added."""


@dataclass(frozen=True, kw_only=True)
class RoomChanged(_RoomEvent, name="room.changed"):
    """The room's name or location changed, or the room was closed or opened again."""

    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _WaitlistEvent(Event):
    entry_id: UUID
    patient_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.entry_id


@dataclass(frozen=True, kw_only=True)
class WaitlistEntryAdded(_WaitlistEvent, name="waitlist.added"):
    """A patient was put on the waiting list; without a doctor, for any doctor."""

    doctor_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class WaitlistEntryWithdrawn(_WaitlistEvent, name="waitlist.withdrawn"):
    """A patient was taken off the waiting list."""


@dataclass(frozen=True, kw_only=True)
class WaitlistEntryExpired(_WaitlistEvent, name="waitlist.expired"):
    """The last day that the patient had named has passed."""


@dataclass(frozen=True, kw_only=True)
class WaitlistOffered(_WaitlistEvent, name="waitlist.offered"):
    """A freed time was offered to a patient on the waiting list. It is not reserved."""

    offer_id: UUID
    doctor_id: UUID
    scheduled_time: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class WaitlistOfferSettled(_WaitlistEvent, name="waitlist.offer_settled"):
    """An offer was accepted, declined, lost to a faster patient, withdrawn with its entry, or has expired. `opening` is the
    fact that freed the time."""

    offer_id: UUID
    opening: UUID
    status: str
