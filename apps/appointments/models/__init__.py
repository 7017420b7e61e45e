"""The diary's tables: who works when (`schedules`), the visits (`visits`)."""

from apps.appointments.models.schedules import DoctorSchedule, Room, TimeOff, VisitLength, VisitType, WorkingHours
from apps.appointments.models.visits import Appointment, Queue, Series, StatusChange, Tally
from apps.appointments.models.waiting import OfferStatus, WaitlistEntry, WaitlistOffer, WaitPriority, WaitStatus

__all__ = [
    "Appointment",
    "DoctorSchedule",
    "OfferStatus",
    "Queue",
    "Room",
    "Series",
    "StatusChange",
    "Tally",
    "TimeOff",
    "VisitLength",
    "VisitType",
    "WaitPriority",
    "WaitStatus",
    "WaitlistEntry",
    "WaitlistOffer",
    "WorkingHours",
]
