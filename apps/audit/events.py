"""The events of `audit`."""

from dataclasses import dataclass
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class UnusualReading(Event, name="audit.unusual_reading"):
    """A user opened more charts within an hour than care explains; `charts` is the number of patients."""

    user_id: UUID
    charts: int

    @property
    def subject_id(self) -> UUID:
        return self.user_id
