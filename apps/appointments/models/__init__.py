"""The diary's tables: who works when (`schedules`), the visits (`visits`), moves (`moves`), calendars (`feeds`), who
waits (`waiting`)."""

from apps.appointments.models.feeds import CalendarFeed
from apps.appointments.models.moves import BulkMove, MovedVisit
from apps.appointments.models.schedules import DoctorSchedule, Room, TimeOff, VisitLength, VisitType, WorkingHours
from apps.appointments.models.visits import Appointment, Queue, Series, StatusChange, Tally
from apps.appointments.models.waiting import OfferStatus, Opening, WaitlistEntry, WaitlistOffer, WaitPriority, WaitStatus

__all__ = [
    "Appointment",
    "BulkMove",
    "CalendarFeed",
    "DoctorSchedule",
    "MovedVisit",
    "OfferStatus",
    "Opening",
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
