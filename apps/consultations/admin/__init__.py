"""The pages of consultations: the list, one with its eleven steps, review and signature, addenda, starting one."""

from apps.appointments.admin.appointments import AppointmentAdmin
from apps.appointments.admin.queue import QueueView
from apps.consultations.admin import consultations, panels, walk_ins
from apps.consultations.rights import Permission
from apps.patients.admin.patients import PatientAdmin
from apps.rest.admin_site import PendingWork, site

PatientAdmin.panels += (panels.walk_in_panel,)
AppointmentAdmin.detail_panels += (panels.consultation_panel,)
QueueView.row_links += (panels.start_link,)
QueueView.walk_ins += (walk_ins.in_the_queue,)
site.pending_work += (
    PendingWork(
        "Visits with an alert that no doctor has acknowledged",
        "admin:consultations_consultation_changelist",
        Permission.CONSULTATION_SEE_NOTES,
        walk_ins.with_an_alert,
        "?status=alert",
    ),
)

__all__ = ["consultations", "panels", "walk_ins"]
