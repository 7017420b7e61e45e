"""The only synchronous listener: every event becomes a row of the audit log, in the same transaction."""

from uuid import UUID

from apps.audit import services
from apps.common.actor import AuditActor
from apps.common.prepared import SqlFragment
from apps.events.event import Event
from apps.events.listeners import synchronous


@synchronous
def record_event(fact: Event, by: AuditActor, event_id: UUID) -> SqlFragment:
    """Records the event under its own name. The outbox row contains its (thin) payload."""
    return services.row_of_event(by=by, action=fact.name, patient_id=fact.patient, object_id=fact.subject_id, event_id=event_id)
