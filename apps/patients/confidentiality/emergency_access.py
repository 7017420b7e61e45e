"""Finds emergency access that no reviewer has signed off."""

from datetime import datetime

from django.db.models import Count, Min

from apps.access.actor import Actor
from apps.patients.confidentiality.models import BreakGlass


def to_review(visible_to: Actor) -> tuple[int, datetime | None]:
    """Returns how often emergency access waits for review, and since when. The actor's own is left out. One query."""
    rows = BreakGlass.objects.visible_to(visible_to).filter(reviewed_at=None).exclude(user=visible_to.id).order_by()
    row = rows.aggregate(number=Count("pk"), since=Min("broken_at"))
    return row["number"], row["since"]
