"""The diary's tables: who works when (`schedules`), the visits (`visits`)."""

from apps.appointments.models.schedules import DoctorSchedule, Room, TimeOff, VisitLength, VisitType, WorkingHours
from apps.appointments.models.visits import Appointment, Queue, Series, StatusChange, Tally

__all__ = [
    "Appointment",
    "DoctorSchedule",
    "Queue",
    "Room",
    "Series",
    "StatusChange",
    "Tally",
    "TimeOff",
    "VisitLength",
    "VisitType",
    "WorkingHours",
]
