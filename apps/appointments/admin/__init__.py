"""The pages of the diary: visits, booking, the day and the week as a table, rooms, doctors' weeks and time off, the
waitlist."""

from django.contrib import admin

from apps.access.permissions import Permission
from apps.appointments.admin import beside, booking, moves, rooms, schedule, series, time_off, visits, waitlist, weeks
from apps.patients.admin.patients import PatientAdmin
from apps.rest.admin_site import Link, Page, Waiting

_VISITS = "admin:appointments_appointment_changelist"

admin.site.pages += (Page(route="schedule/", name="schedule", view=schedule.ScheduleView),)  # type: ignore[attr-defined]
admin.site.links += (Link("Diary", "admin:schedule", schedule.NEED),)  # type: ignore[attr-defined]
admin.site.waiting += (  # type: ignore[attr-defined]
    Waiting(
        "Today’s visits not yet confirmed",
        _VISITS,
        Permission.APPOINTMENT_ANY,
        beside.unconfirmed_today,
        "?day=today&status=unconfirmed",
    ),
    Waiting("In the waiting room", _VISITS, Permission.QUEUE_VIEW, beside.in_the_waiting_room, "?day=today&status=checked_in"),
    Waiting(
        "On the waitlist with an open offer",
        "admin:appointments_waitlistentry_changelist",
        Permission.WAITLIST_KEEP,
        waitlist.with_an_open_offer,
        "?offer=open",
    ),
)
PatientAdmin.beside += (beside.visits_of,)
visits.AppointmentAdmin.told_beside += (series.of_visit,)

__all__ = ["beside", "booking", "moves", "rooms", "schedule", "series", "time_off", "visits", "waitlist", "weeks"]
