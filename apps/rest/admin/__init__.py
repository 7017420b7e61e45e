"""Base classes of the admin pages, and the page of event deliveries.

    @admin.register(Patient)
    class PatientAdmin(HimsModelAdmin[Patient]):
        resource = "patient"
        needs = {"view": Permission.PATIENT_VIEW, "add": Permission.PATIENT_REGISTER, "change": Permission.PATIENT_AMEND}

A page shows what `visible_to` returns, writes through services, audits every view and deletes nothing.
"""

from apps.rest.admin import deliveries

__all__ = ["deliveries"]
