"""The pages of visits: the list, a visit with its eleven steps, review and signature, addenda, starting one."""

from apps.appointments.admin.queue import QueueView
from apps.appointments.admin.visits import AppointmentAdmin
from apps.consultations.admin import beside, visits
from apps.patients.admin.patients import PatientAdmin

PatientAdmin.beside += (beside.walk_in,)
AppointmentAdmin.told_beside += (beside.of_appointment,)
QueueView.ways += (beside.start_of,)

__all__ = ["beside", "visits"]
