"""Data from other systems.

Imports the patients and charts of a Synthea extract (`synthea`, `manage.py import_synthea`). Owns no table and emits no event of
its own: the services of lower apps write what it reads.
"""
