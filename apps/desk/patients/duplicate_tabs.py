"""The tabs of possible duplicates: what waits, what was merged, and which records are two people's."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.desk.kit.site import can_open
from apps.patients import selectors
from apps.patients.rights import Permission

TO_DECIDE, MERGED, NOT_THE_SAME = "duplicatecandidate", "merge", "notduplicate"


def waiting(user: Any) -> str:
    """Returns how many pairs wait, as text; empty for none."""
    count = selectors.duplicate_candidate_count(user)
    return f"{selectors.COUNTED_UP_TO}+" if count > selectors.COUNTED_UP_TO else str(count or "")


def context(request: HttpRequest, current: str) -> dict[str, Any]:
    """Returns the tabs that the user may open; the others say how many pairs wait. One query at most."""
    tabs = (
        (TO_DECIDE, gettext("To decide"), Permission.PATIENT_DUPLICATES),
        (MERGED, gettext("Merged"), Permission.PATIENT_MERGE),
        (NOT_THE_SAME, gettext("Not the same"), Permission.PATIENT_DUPLICATES),
    )
    return {
        "duplicate_tabs": [
            {
                "label": label,
                "url": reverse(f"admin:patients_{name}_changelist"),
                "is_current": name == current,
                "number": waiting(request.user) if current != name == TO_DECIDE else "",
            }
            for name, label, need in tabs
            if can_open(request.user, need)
        ]
    }
