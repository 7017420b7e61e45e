"""Handlers that appointments register for ports of lower apps: how many appointments are booked, and whose doctors
are on a care team."""

from apps.accounts.ports import booked_appointments as account_ports
from apps.appointments import selectors
from apps.appointments.services import care_team
from apps.patients.ports import booked_appointments as patient_ports
from apps.patients.ports import care_team_doctors

patient_ports.register_booked_counter(selectors.count_upcoming)
account_ports.register_booked_counter(selectors.count_upcoming_with_doctor)
care_team_doctors.register_doctors(care_team.BECAUSE, selectors.care_team_doctors)
