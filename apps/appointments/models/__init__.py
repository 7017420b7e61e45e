"""The tables of appointments: schedules and rooms, appointments, bulk reschedules, calendar feeds, and the waitlist."""

from apps.appointments.models.appointments import Appointment, Queue, Series, StatusChange
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
    "Series",
    "StatusChange",
    "TimeOff",
    "WaitPriority",
    "WaitStatus",
    "WaitlistEntry",
    "WaitlistOffer",
    "WorkingHours",
]
