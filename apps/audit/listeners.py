"""The one listener that writes in step: every announced fact is a row of the trail, in the same transaction."""

from uuid import UUID

from apps.audit import services
from apps.common.actor import Someone
from apps.events.event import Event
from apps.events.listeners import in_step


@in_step
def trail(fact: Event, by: Someone, event_id: UUID) -> None:
    """Note the fact under its own name. The outbox row holds its (thin) payload."""
    services.note(by=by, action=fact.name, patient_id=fact.patient, object_id=fact.subject_id, event_id=event_id)
