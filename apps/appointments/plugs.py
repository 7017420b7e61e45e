"""What the diary plugs into the floors below: which rows follow a patient into a merge."""

from apps.patients import merging

merging.moves("appointments.Appointment", "patient")
merging.moves("appointments.WaitlistEntry", "patient")
