"""Ports of the patients app: what higher apps return about a patient."""
