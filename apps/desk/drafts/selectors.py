"""Finds drafts. Each query names the user: no user reads a draft of another."""

from collections.abc import Collection
from uuid import UUID

from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.desk.models import Draft


def drafts_of(user_id: UUID, paths: Collection[str]) -> list[Draft]:
    """Returns the user's drafts of the forms that send to these addresses, the oldest first."""
    return list(Draft.objects.filter(user=user_id, path__in=set(paths)).order_by("updated_at", "id")) if paths else []


def may_write(user_id: UUID) -> bool:
    """Returns whether this is an active member of the staff."""
    return User.objects.filter(pk=user_id, is_active=True, role__in=[role.value for role in STAFF]).exists()
