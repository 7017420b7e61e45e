"""The person and the chart.

Patients with demographics, contact, emergency contact and insurance; the medical record number; the chart, one row an entry,
written down into by every higher app; the search words people are found by. It announces: patient registered, updated,
deactivated, reactivated, told apart, transferred in; chart entry recorded, retracted.
"""
