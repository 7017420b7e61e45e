"""What the desk itself contributes to the tests of the whole: pages that belong to no domain."""

from django.urls import reverse

from apps.accounts.models import User


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every page, with the roles that may open it."""
    return {reverse("admin:all_records"): frozenset({"admin", "manager"})}
