"""Medicines: how a dose is read and written."""
