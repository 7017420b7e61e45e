"""What the desk itself contributes to the tests of the whole: pages that belong to no model of a domain."""

from django.urls import reverse

from apps.access.tests.role_table import CLINICAL, EVERY_ROLE, FRONT_OFFICE, MANAGEMENT
from apps.accounts.models import User
from apps.patients.tests.factories import register_patient


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every page, with the roles that may open it."""
    patient = register_patient("Tab", "Stern")

    def tab(name: str) -> str:
        return reverse(f"admin:patients_patient_{name}", args=[patient.pk])

    return {
        reverse("admin:all_records"): MANAGEMENT,
        reverse("admin:dashboard"): MANAGEMENT,
        reverse("admin:jobs"): frozenset({"admin"}),
        tab("summary"): CLINICAL | {"pharmacist", "lab_technician"},
        tab("visits"): CLINICAL | {"billing"},
        tab("appointments"): FRONT_OFFICE | {"billing", "manager"},
        tab("details"): EVERY_ROLE,
    }
