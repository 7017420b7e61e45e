"""The staff pages of appointments: list, booking, series, the schedule of a day or week, the queue, the waitlist, rooms, doctors'
weeks, time off and bulk reschedules."""

from apps.appointments.admin import (
    appointments,
    booking,
    doctor_schedules,
    panels,
    queue,
    reschedule,
    rooms,
    schedule,
    series,
    time_off,
    waitlist,
)
from apps.appointments.rights import Permission
from apps.patients.admin.patients import PatientAdmin
from apps.rest.admin_site import NavLink, PendingWork, SitePage, site

_VISITS = "admin:appointments_appointment_changelist"

site.pages += (SitePage(route="schedule/", name="schedule", view=schedule.ScheduleView),)
site.nav_links += (NavLink("Schedule", "admin:schedule", schedule.NEED),)
site.pages += (SitePage(route="queue/", name="queue", view=queue.QueueView),)
site.nav_links += (NavLink("Queue", "admin:queue", queue.NEED),)
site.pending_work += (
    PendingWork(
        "Today’s unconfirmed appointments",
        _VISITS,
        Permission.APPOINTMENT_ANY,
        panels.unconfirmed_today,
        "?day=today&status=unconfirmed",
    ),
    PendingWork("In the waiting room", "admin:queue", queue.NEED, panels.in_the_waiting_room),
    PendingWork(
        "On the waiting list with an open offer",
        "admin:appointments_waitlistentry_changelist",
        Permission.WAITLIST_KEEP,
        waitlist.with_an_open_offer,
        "?offer=open",
    ),
)
PatientAdmin.panels += (panels.next_appointments,)
appointments.AppointmentAdmin.detail_panels += (series.series_panel,)

__all__ = [
    "appointments",
    "booking",
    "doctor_schedules",
    "panels",
    "queue",
    "reschedule",
    "rooms",
    "schedule",
    "series",
    "time_off",
    "waitlist",
]
