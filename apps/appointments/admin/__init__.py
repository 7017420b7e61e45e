"""The pages of the diary: visits, booking, the day and the week as a table, the queue, rooms, doctors' weeks and time off."""

from django.contrib import admin

from apps.access.permissions import Permission
from apps.appointments.admin import beside, booking, queue, rooms, schedule, time_off, visits, weeks
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
)
PatientAdmin.beside += (beside.visits_of,)

__all__ = ["beside", "booking", "queue", "rooms", "schedule", "time_off", "visits", "weeks"]
