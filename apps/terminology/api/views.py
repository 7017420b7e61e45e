"""The API of code systems: searching a diagnosis by its words or the beginning of its code."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock
from apps.rest import paging
from apps.rest.endpoint import Example, endpoint
from apps.rest.viewsets import HimsViewSet
from apps.terminology import selectors
from apps.terminology.api.filters import IcdCodeFilter
from apps.terminology.api.serializers import IcdCodeShape
from apps.terminology.rights import Permission

_ROWS = [
    {"code": "E11.9", "display": "Type 2 diabetes mellitus without complications", "billable": True},
    {"code": "E11", "display": "Type 2 diabetes mellitus", "billable": False},
]
_FOUND = Example(
    reply={
        "success": True,
        "data": {"codes": _ROWS, "pagination": {"page": 1, "limit": 20, "total": 2, "pages": 1}, "fuzzy": True},
    }
)


class IcdCodeViewSet(HimsViewSet):
    """ICD-10-CM, the code system of diagnoses."""

    resource = "icd10"
    plural = "codes"
    tag = "Terminology"
    extra = {"fuzzy": {"type": "boolean", "description": "True if nothing matched and codes of similar spellings are shown"}}

    @endpoint(
        permission=Permission.TERMINOLOGY_READ,
        query=IcdCodeFilter,
        response=IcdCodeShape,
        operation_id="searchIcd10",
        example=_FOUND,
    )
    def list(self, request: Request) -> Response:
        """Search the codes of diagnoses (ICD-10-CM)

        Everyday words, abbreviations and British spellings are understood (`heart attack`, `COPD`, `anaemia`), and a misspelt
        word is read as the most similar one; `fuzzy` is then true. Codes that an everyday term means come first, then the very
        code, codes that begin with the search, usual and billable codes, and short displays before long ones. Without a search
        all codes are listed in their order. `E11.9` and `e119` are one code.
        """
        query = self.validated_query()
        on = query.get("date") or clock.today()
        result = selectors.find(query.get("search") or "", on=on, billable=query.get("billable"))
        count = paging.capped if query.get("search") or query.get("billable") is not None else paging.exact
        fuzzy = {"fuzzy": True} if result.fuzzy else {}
        return self.page(paging.page_of(result.rows, self.window, count), **fuzzy)
