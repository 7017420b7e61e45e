"""The pages of patients and their charts, the patient search on top of every page, and what waits on the start page."""

from django.contrib import admin

from apps.access.permissions import Permission
from apps.patients.admin import charts, merges, patients, restricted, suspected
from apps.rest.admin_site import Waiting

admin.site.search = ("admin:patients_patient_changelist", Permission.PATIENT_VIEW)  # type: ignore[attr-defined]
admin.site.waiting += (  # type: ignore[attr-defined]
    Waiting("Suspected duplicates", "admin:patients_suspectedpair_changelist", Permission.PATIENT_MERGE, suspected.told),
)

__all__ = ["charts", "merges", "patients", "restricted", "suspected"]
