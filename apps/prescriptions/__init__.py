"""Medicines: the catalogue of drugs with their ingredients, strengths and forms, and how a dose is read and written.

The app announces: drug added, changed, loaded from a file.
"""
