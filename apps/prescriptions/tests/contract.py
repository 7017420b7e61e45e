"""What medicines contribute to the tests of the whole: who may call what, who opens which staff page, and sample rows."""

from typing import Any

from django.urls import reverse

from apps.access.tests.role_table import CLINICAL, Samples
from apps.prescriptions.tests import factories

_LOOK_UP, _KEEP = "y y y - y - - -", "y - - - y - - -"

#                                       A D N R P L B  manager
MATRIX = {
    "GET /pharmacy/drugs": _LOOK_UP,
    "GET /pharmacy/drugs/{id}": _LOOK_UP,
    "POST /pharmacy/drugs": _KEEP,
    "PUT /pharmacy/drugs/{id}": _KEEP,
    "GET /pharmacy/interactions": _KEEP,
}
_MAY_LOOK_UP = CLINICAL | {"pharmacist"}
_MAY_READ_RULES = frozenset({"admin", "pharmacist", "doctor"})


def samples(staff: dict[str, Any]) -> Samples:
    """Return a drug."""
    drug = factories.add_drug()
    return Samples(
        ids={"/pharmacy/drugs/": drug.pk},
        bodies={
            "POST /pharmacy/drugs": {"name": "Quinapril 10 MG Oral Tablet"},
            "PUT /pharmacy/drugs/{id}": {"use": "high blood pressure"},
        },
        twins={
            reverse("admin:prescriptions_drug_changelist"): "GET /pharmacy/drugs",
            reverse("admin:prescriptions_drug_change", args=[drug.pk]): "GET /pharmacy/drugs/{id}",
            reverse("admin:prescriptions_drug_add"): "POST /pharmacy/drugs",
        },
    )


def pages(staff: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    drug, rule = factories.add_drug(), factories.add_rule()
    return {
        reverse("admin:prescriptions_drug_changelist"): _MAY_LOOK_UP,
        reverse("admin:prescriptions_drug_change", args=[drug.pk]): _MAY_LOOK_UP,
        reverse("admin:prescriptions_drug_add"): frozenset({"admin", "pharmacist"}),
        reverse("admin:prescriptions_knowledgeentry_changelist"): _MAY_READ_RULES,
        reverse("admin:prescriptions_knowledgeentry_add"): frozenset({"pharmacist"}),
        reverse("admin:prescriptions_knowledgeentry_change", args=[rule.pk]): _MAY_READ_RULES,
        reverse("admin:prescriptions_knowledgeentry_review", args=[rule.pk]): frozenset({"pharmacist", "doctor"}),
        reverse("admin:prescriptions_knowledgeentry_retire", args=[rule.pk]): frozenset({"pharmacist"}),
    }
