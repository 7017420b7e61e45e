"""The pages of the diary: visits, booking, series, the day and the week as a table, the queue, the waitlist, rooms, doctors'
weeks, time off and the moves of their visits."""

from django.contrib import admin

from apps.access.permissions import Permission
from apps.appointments.admin import beside, booking, moves, queue, rooms, schedule, series, time_off, visits, waitlist, weeks
from apps.patients.admin.patients import PatientAdmin
from apps.rest.admin_site import Link, Page, Waiting

_VISITS = "admin:appointments_appointment_changelist"

admin.site.pages += (Page(route="schedule/", name="schedule", view=schedule.ScheduleView),)  # type: ignore[attr-defined]
admin.site.links += (Link("Diary", "admin:schedule", schedule.NEED),)  # type: ignore[attr-defined]
admin.site.pages += (Page(route="queue/", name="queue", view=queue.QueueView),)  # type: ignore[attr-defined]
admin.site.links += (Link("Queue", "admin:queue", queue.NEED),)  # type: ignore[attr-defined]
admin.site.waiting += (  # type: ignore[attr-defined]
    Waiting(
        "Today’s visits not yet confirmed",
        _VISITS,
        Permission.APPOINTMENT_ANY,
        beside.unconfirmed_today,
        "?day=today&status=unconfirmed",
    ),
    Waiting("In the waiting room", "admin:queue", queue.NEED, beside.in_the_waiting_room),
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

__all__ = ["beside", "booking", "moves", "queue", "rooms", "schedule", "series", "time_off", "visits", "waitlist", "weeks"]
