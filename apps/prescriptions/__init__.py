"""Medicines: the catalogue of drugs with their ingredients, strengths and forms, how a dose is read and written, and
the safety checks with their knowledge.

The app announces: drug added, changed, loaded from a file; drug knowledge changed.
"""
