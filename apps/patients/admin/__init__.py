"""The pages of patients and their charts, and the patient search on top of every page."""

from django.contrib import admin

from apps.access.permissions import Permission
from apps.patients.admin import charts, merges, patients, restricted

admin.site.search = ("admin:patients_patient_changelist", Permission.PATIENT_VIEW)  # type: ignore[attr-defined]

__all__ = ["charts", "merges", "patients", "restricted"]
