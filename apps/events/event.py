"""What a fact is: a frozen dataclass with a public name.

    @dataclass(frozen=True, kw_only=True)
    class PatientRegistered(Event, name="patient.registered"):
        patient_id: UUID

Subclassing registers it. Payloads are thin: ids, states, times; never a name or a clinical value.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

_registry: dict[str, type["Event"]] = {}


@dataclass(frozen=True, kw_only=True)
class Event:
    """The base of all events. `name` is its name on the wire and in the audit log."""

    name: ClassVar[str] = ""
    event_id: ClassVar[UUID | None] = None  # of the outbox row; only on an event that a listener receives
    announced_at: ClassVar[datetime | None] = None  # likewise
    announced_by: ClassVar[UUID | None] = None  # likewise: the actor, None for the system

    def __init_subclass__(cls, name: str = "", **kwargs: Any) -> None:
        """Registers a named event; a base of events has no name."""
        super().__init_subclass__(**kwargs)
        if not name:
            return
        if name in _registry:
            raise TypeError(f"two events have the name {name!r}: {_registry[name].__qualname__} and {cls.__qualname__}")
        cls.name = name
        _registry[name] = cls

    @property
    def subject_id(self) -> UUID | None:
        """Returns the row that changed, for the audit log; by default the patient."""
        return self.patient

    @property
    def patient(self) -> UUID | None:
        """Returns the patient concerned, if any."""
        return getattr(self, "patient_id", None)

    def payload(self) -> dict[str, Any]:
        """Returns the fields as plain values. Instants keep their microseconds, which Django's encoder would cut."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # `asdict` would copy each value
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class DeliveryRetried(Event, name="delivery.retried"):
    """A user had a dead-lettered delivery tried again."""

    delivery_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.delivery_id


def named(name: str) -> type[Event]:
    """Returns the class of the event. Raises KeyError for an unknown name."""
    return _registry[name]


def all_names() -> list[str]:
    """Returns the names of all events, sorted."""
    return sorted(_registry)
