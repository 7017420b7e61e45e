"""The pages of patients and their charts, the patient search on top of every page, and the counters of the start page."""

from apps.patients.admin import charts, duplicate_candidates, merges, patients, restricted
from apps.patients.rights import Permission
from apps.rest.admin_site import PendingWork, site

site.search = ("admin:patients_patient_changelist", Permission.PATIENT_VIEW)
site.pending_work += (
    PendingWork(
        "Possible duplicates",
        "admin:patients_duplicatecandidate_changelist",
        Permission.PATIENT_MERGE,
        duplicate_candidates.waiting_text,
    ),
)

__all__ = ["charts", "duplicate_candidates", "merges", "patients", "restricted"]
