"""What the diary plugs into the floors below: which rows follow a patient into a merge, and how many visits are booked."""

from apps.accounts import ports as account_ports
from apps.appointments import selectors
from apps.patients import merging, ports

merging.moves("appointments.Appointment", "patient")
merging.moves("appointments.WaitlistEntry", "patient")
ports.register_booked_counter(selectors.still_booked)
account_ports.register_booked_counter(selectors.still_booked_with)
