"""Examples of the catalogue, with the samples of the sandbox."""

from typing import Any

from apps.rest.endpoint import Example

_LISINOPRIL = {
    "id": "5b1d3f0e-8c5e-5b0e-9a77-0d1f4f6f2b11",
    "rxcui": None,
    "name": "lisinopril 10 mg tablet",
    "generic_name": "lisinopril",
    "brand_names": ["Prinivil", "Zestril"],
    "strength": "10 mg",
    "form": "tablet",
    "route": "oral",
    "unit": "tablet",
    "schedule": "",
    "use": "blood pressure",
    "is_offered": True,
    "ingredients": [{"name": "lisinopril", "amount": 10, "amount_unit": "mg", "per": 1, "per_unit": "tablet"}],
    "classes": [],
    "updated_at": "2025-01-10T08:00:00Z",
}
_PAGE = {"page": 1, "limit": 20, "total": 1, "pages": 1}
LIST = Example(reply={"success": True, "data": {"drugs": [_LISINOPRIL], "fuzzy": False, "pagination": _PAGE}})
READ = Example(path={"id": "drug_001"}, reply={"success": True, "data": {"drug": _LISINOPRIL}})
ADD = Example(
    request={
        "name": "Ramipril 5 MG Oral Capsule",
        "brand_names": ["Altace"],
        "use": "blood pressure",
    }
)
CHANGE = Example(path={"id": "drug_001"}, request={"use": "high blood pressure"})
_INTERACTION: dict[str, Any] = {
    "id": "7a0b8f2c-1d43-5a86-9b9c-0e5d3c1c4f77",
    "a": "digoxin",
    "b": "verapamil",
    "severity": "major",
    "effect": "raised digoxin level",
    "management": "",
    "routes": [],
    "source": "FDA label section 7 or boxed warning; not re-checked",
    "reviewed_at": None,
}
_BASE = {"name": "HIMS drug knowledge", "version": "1", "rows": 511, "reviewed": 0, "scope": "not exhaustive"}
INTERACTIONS = Example(
    reply={"success": True, "data": {"interactions": [_INTERACTION], "knowledge_base": _BASE, "pagination": _PAGE}}
)
