"""What can be done in the diary. Read through the module: `services.book(...)`, `services.check_in(...)`."""

from apps.appointments.services.booking import Booked, Caution, NewVisit, OverbookingFull, PatientNotActive, SlotTaken, book
from apps.appointments.services.changing import CHANGEABLE, AlreadyOver, NoLongerMovable, change
from apps.appointments.services.rooms import RoomOnRecord, add_room, close_room, rename_room, reopen_room
from apps.appointments.services.scheduling import (
    NewSchedule,
    WeeklyHours,
    add_time_off,
    affected,
    remove_time_off,
    set_schedule,
)
from apps.appointments.services.takeover import Step, TakenVisit, take_over
from apps.appointments.services.visiting import (
    IllegalMove,
    NotThatDay,
    TooEarly,
    begin,
    cancel,
    check_in,
    confirm,
    finish,
    no_show,
    put_back,
)

__all__ = [
    "CHANGEABLE",
    "AlreadyOver",
    "Booked",
    "Caution",
    "IllegalMove",
    "NewSchedule",
    "NewVisit",
    "NoLongerMovable",
    "NotThatDay",
    "OverbookingFull",
    "PatientNotActive",
    "RoomOnRecord",
    "SlotTaken",
    "Step",
    "TakenVisit",
    "TooEarly",
    "WeeklyHours",
    "add_room",
    "add_time_off",
    "affected",
    "begin",
    "book",
    "cancel",
    "change",
    "check_in",
    "close_room",
    "confirm",
    "finish",
    "no_show",
    "put_back",
    "remove_time_off",
    "rename_room",
    "reopen_room",
    "set_schedule",
    "take_over",
]
