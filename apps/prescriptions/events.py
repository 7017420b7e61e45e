"""The events of medicines. They contain ids, counts and names of columns, but no name of a drug."""

from dataclasses import dataclass
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class _DrugEvent(Event):
    drug_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.drug_id


@dataclass(frozen=True, kw_only=True)
class DrugAdded(_DrugEvent, name="drug.added"):
    """A drug was added to the catalogue."""


@dataclass(frozen=True, kw_only=True)
class DrugChanged(_DrugEvent, name="drug.changed"):
    """`changes` are the names of the columns that changed."""

    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KnowledgeChanged(Event, name="drug.knowledge_changed"):
    """Entries of the drug knowledge were added, replaced, reviewed or retired. `version` is the new one."""

    version: int
    entries: int


@dataclass(frozen=True, kw_only=True)
class DrugsLoaded(Event, name="drug.loaded"):
    """So many drugs were added from a file, and so many are no longer offered."""

    drugs: int
    withdrawn: int = 0
