"""The pages of patients and their charts, the patient search on top of every page, and the counters of the start page."""

from django.contrib import admin

from apps.patients.admin import charts, duplicate_candidates, merges, patients, restricted
from apps.patients.rights import Permission
from apps.rest.admin_site import PendingWork

admin.site.search = ("admin:patients_patient_changelist", Permission.PATIENT_VIEW)  # type: ignore[attr-defined]
admin.site.pending_work += (  # type: ignore[attr-defined]
    PendingWork(
        "Possible duplicates",
        "admin:patients_duplicatecandidate_changelist",
        Permission.PATIENT_MERGE,
        duplicate_candidates.waiting_text,
    ),
)

__all__ = ["charts", "duplicate_candidates", "merges", "patients", "restricted"]
