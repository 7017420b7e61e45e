"""The person and the chart.

Patients with demographics, contact, emergency contact and insurance; the medical record number; the chart, one row per entry,
into which every higher app writes; the search words of each patient. The app emits: patient registered, updated, deactivated,
reactivated, not a duplicate, imported; chart entry recorded, retracted.
"""
