"""Examples of the catalogue, with the samples of the sandbox."""

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
