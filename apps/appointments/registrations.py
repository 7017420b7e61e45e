"""What the diary plugs into the floors below: which rows follow a patient into a merge, and how many visits are booked."""

from apps.accounts.ports import booked_appointments as account_ports
from apps.appointments import selectors
from apps.patients import ports
from apps.patients.merging import patient_links

patient_links.moves("appointments.Appointment", "patient")
patient_links.moves("appointments.WaitlistEntry", "patient")
ports.register_booked_counter(selectors.count_upcoming)
account_ports.register_booked_counter(selectors.count_upcoming_with_doctor)
