"""What terminology contributes to the tests of the whole: who may call what, and who may open which staff page."""

from typing import Any

from django.urls import reverse

from apps.access.tests.role_table import ALL_BUT_MANAGER
from apps.terminology.models import IcdCode, IcdRelease
from apps.terminology.tests import factories

MATRIX = {"GET /terminology/icd10": "y y y y y y y -"}


def pages(staff: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    factories.restore()
    code, release = IcdCode.objects.get(code="E11.9"), IcdRelease.objects.get()
    return {
        reverse("admin:terminology_icdcode_changelist"): ALL_BUT_MANAGER,
        reverse("admin:terminology_icdcode_change", args=[code.pk]): ALL_BUT_MANAGER,
        reverse("admin:terminology_icdrelease_changelist"): ALL_BUT_MANAGER,
        reverse("admin:terminology_icdrelease_change", args=[release.pk]): ALL_BUT_MANAGER,
    }
