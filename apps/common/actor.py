"""The least that is known of whoever acts; what they may do is the matter of `access`."""

from typing import Protocol
from uuid import UUID


class AuditActor(Protocol):
    """Anybody who acts. `id` is None for the system."""

    @property
    def id(self) -> UUID | None: ...

    @property
    def role(self) -> str: ...
