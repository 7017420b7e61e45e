"""The search for diagnosis codes in the Assessment section, which works without JavaScript."""

from typing import Any

from django.http import HttpRequest

from apps.common import clinic_times
from apps.consultations.models import Consultation
from apps.terminology import selectors as terminology

_MAX_RESULTS = 15
_QUERY_MAX = 100


def words_in(request: HttpRequest) -> str:
    """Returns the words of the search, cut to their limit."""
    return request.POST.get("q", "").strip()[:_QUERY_MAX]


def is_search(request: HttpRequest) -> bool:
    """Returns whether the user searches for codes. The Enter key sends the same button from every field: with new search words it
    means the search."""
    words = words_in(request)
    by_key = "_enter" in request.POST and words and words != request.POST.get("searched", "")
    return "_search" in request.POST or bool(by_key)


def matching(request: HttpRequest, row: Consultation) -> dict[str, Any]:
    """Returns the codes that match the search words and may be billed on the day of the consultation."""
    text = words_in(request) if is_search(request) else ""
    day = clinic_times.local(row.started_at).date()
    matches = list(terminology.search(text, on=day, billable=True)[:_MAX_RESULTS]) if text else []
    return {"text": text, "matches": matches}
