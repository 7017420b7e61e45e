"""The actor of a request with an API key: the key's owner, within the key's scopes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.authentication.principal import AuthenticatedActor


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyPrincipal(AuthenticatedActor):
    """The owner, acting through a key. There is no session: keys cannot do what needs one."""

    id: UUID
    username: str
    role: str
    key_id: UUID
    prefix: str
    scopes: frozenset[str]
    allowed_cidrs: tuple[str, ...]
    last_used_at: datetime | None

    @property
    def session_id(self) -> None:
        return None
