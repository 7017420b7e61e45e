"""The minimum that is known of an actor. The `access` app defines what an actor may do."""

from typing import Protocol
from uuid import UUID


class AuditActor(Protocol):
    """Any actor: a user, an API key or the system. `id` is None for the system."""

    @property
    def id(self) -> UUID | None: ...

    @property
    def role(self) -> str: ...
