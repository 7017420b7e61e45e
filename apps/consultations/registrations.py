"""What consultations plug into the floors below: which rows follow a patient into a merge."""

from apps.patients.merging import patient_links

patient_links.moves("consultations.Consultation", "patient")
