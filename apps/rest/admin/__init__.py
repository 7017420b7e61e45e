"""Base classes of the admin pages, and the pages of what lies below this floor: the trail, the deliveries, the codes.

    @admin.register(Patient)
    class PatientAdmin(HimsModelAdmin):
        resource = "patient"
        needs = {"view": Permission.PATIENT_VIEW, "add": Permission.PATIENT_REGISTER, "change": Permission.PATIENT_AMEND}

A page shows what `visible_to` shows, writes through services, notes every look in the trail and deletes nothing.
"""

from apps.rest.admin import audit_log, deliveries, terminology

__all__ = ["audit_log", "deliveries", "terminology"]
