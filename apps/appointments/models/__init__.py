"""The diary's tables: who works when (`schedules`), the visits (`visits`), moves (`moves`), calendars (`feeds`), who
waits (`waiting`)."""

from apps.appointments.models.appointments import Appointment, Queue, RowCounter, Series, StatusChange
from apps.appointments.models.feeds import CalendarFeed
from apps.appointments.models.reschedules import BulkReschedule, RescheduledAppointment
from apps.appointments.models.schedules import AppointmentLength, AppointmentType, DoctorSchedule, Room, TimeOff, WorkingHours
from apps.appointments.models.waitlist import FreedSlotOffer, OfferStatus, WaitlistEntry, WaitlistOffer, WaitPriority, WaitStatus

__all__ = [
    "Appointment",
    "AppointmentLength",
    "AppointmentType",
    "BulkReschedule",
    "CalendarFeed",
    "DoctorSchedule",
    "FreedSlotOffer",
    "OfferStatus",
    "Queue",
    "RescheduledAppointment",
    "Room",
    "RowCounter",
    "Series",
    "StatusChange",
    "TimeOff",
    "WaitPriority",
    "WaitStatus",
    "WaitlistEntry",
    "WaitlistOffer",
    "WorkingHours",
]
