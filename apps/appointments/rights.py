"""The rights of appointments, schedules, rooms, the queue and the waitlist: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import ADMINISTRATION, FRONT_OFFICE, Role
from apps.access.scopes import Scope


class Permission(permissions.Permission):
    APPOINTMENT_VIEW = "appointment.view", FRONT_OFFICE | {Role.BILLING, Role.MANAGER}, Scope.APPOINTMENTS_READ
    # the notes, in addition to time and doctor
    APPOINTMENT_SEE_NOTES = "appointment.see_notes", FRONT_OFFICE, Scope.APPOINTMENTS_READ
    APPOINTMENT_BOOK = "appointment.book", FRONT_OFFICE, Scope.APPOINTMENTS_WRITE
    # reschedule, confirm, check in, cancel; in every schedule with APPOINTMENT_ANY
    APPOINTMENT_CHANGE = "appointment.change", FRONT_OFFICE, Scope.APPOINTMENTS_WRITE
    APPOINTMENT_EXPORT = "appointment.export", FRONT_OFFICE, Scope.APPOINTMENTS_READ  # download an appointment as a calendar file
    # see and act in the schedule of every doctor, not only in one's own
    APPOINTMENT_ANY = "appointment.any", (FRONT_OFFICE | {Role.MANAGER}) - {Role.DOCTOR}, Scope.APPOINTMENTS_WRITE
    # book outside the free slots
    APPOINTMENT_OVERBOOK = "appointment.overbook", {Role.ADMIN, Role.RECEPTIONIST}, Scope.APPOINTMENTS_WRITE
    # change a doctor's hours and time off, move the appointments of an absent doctor
    SCHEDULE_KEEP = "schedule.keep", (FRONT_OFFICE | {Role.MANAGER}) - {Role.NURSE}, Scope.APPOINTMENTS_WRITE
    ROOM_VIEW = "room.view", FRONT_OFFICE | {Role.MANAGER}, Scope.APPOINTMENTS_READ
    ROOM_KEEP = "room.keep", ADMINISTRATION, Scope.APPOINTMENTS_WRITE
    QUEUE_VIEW = "queue.view", FRONT_OFFICE | {Role.MANAGER}, Scope.APPOINTMENTS_WRITE  # the contract asks for the write scope
    WAITLIST_VIEW = "waitlist.view", FRONT_OFFICE | {Role.MANAGER}, Scope.APPOINTMENTS_READ
    WAITLIST_KEEP = "waitlist.keep", FRONT_OFFICE, Scope.APPOINTMENTS_WRITE
