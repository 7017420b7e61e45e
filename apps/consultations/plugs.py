"""What consultations plug into the floors below: which rows follow a patient into a merge."""

from apps.patients import merging

merging.moves("consultations.Consultation", "patient")
