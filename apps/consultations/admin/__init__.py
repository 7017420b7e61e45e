"""The pages of visits: the list, a visit with its eleven steps, review and signature, addenda, starting one."""

from django.contrib import admin

from apps.access.permissions import Permission
from apps.appointments.admin.queue import QueueView
from apps.appointments.admin.visits import AppointmentAdmin
from apps.consultations.admin import beside, visits, walk_ins
from apps.patients.admin.patients import PatientAdmin
from apps.rest.admin_site import Waiting

PatientAdmin.beside += (beside.walk_in,)
AppointmentAdmin.told_beside += (beside.of_appointment,)
QueueView.ways += (beside.start_of,)
QueueView.walk_ins += (walk_ins.in_the_queue,)
admin.site.waiting += (  # type: ignore[attr-defined]
    Waiting(
        "Visits with an alert that no doctor has acknowledged",
        "admin:consultations_consultation_changelist",
        Permission.CONSULTATION_SEE_NOTES,
        walk_ins.with_an_alert,
        "?status=alert",
    ),
)

__all__ = ["beside", "visits", "walk_ins"]
