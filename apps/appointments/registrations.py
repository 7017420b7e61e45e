"""Handlers that appointments register for ports of lower apps: how many appointments are booked."""

from apps.accounts.ports import booked_appointments as account_ports
from apps.appointments import selectors
from apps.patients.ports import booked_appointments as patient_ports

patient_ports.register_booked_counter(selectors.count_upcoming)
account_ports.register_booked_counter(selectors.count_upcoming_with_doctor)
