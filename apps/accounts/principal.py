"""Whoever stands behind a request: the few facts of a person that every request needs, read fresh from the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.models import Rights


@dataclass(frozen=True, slots=True)
class Principal(Rights):
    """A signed-in person within one session. Never built from a token alone."""

    id: UUID
    username: str
    role: str
    session_id: UUID
    last_seen_at: datetime

    @property
    def pk(self) -> UUID:
        return self.id

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_active(self) -> bool:
        return True
