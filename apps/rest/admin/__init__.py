"""Base classes of the admin pages, and the page of the deliveries of events.

    @admin.register(Patient)
    class PatientAdmin(HimsModelAdmin):
        resource = "patient"
        needs = {"view": Permission.PATIENT_VIEW, "add": Permission.PATIENT_REGISTER, "change": Permission.PATIENT_AMEND}

A page shows what `visible_to` shows, writes through services, notes every look in the trail and deletes nothing.
"""

from apps.rest.admin import deliveries

__all__ = ["deliveries"]
