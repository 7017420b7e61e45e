"""Marks a consultation as ready for its doctor: a nurse has measured and asked the patient."""

from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import Conflict, Forbidden
from apps.consultations import rules, selectors
from apps.consultations.events import ConsultationReady
from apps.consultations.rights import Permission
from apps.consultations.rules import Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import alerting
from apps.consultations.services.locking import STATES, event_fields, get_for_update
from apps.consultations.services.steps import NotOpen
from apps.events.services import emit


class OwnConsultation(Forbidden):
    message = "You are the doctor of this consultation and can't mark it as ready for yourself."


class AlreadyReady(Conflict):
    """`details.ready_at` is the time of the mark."""

    reason = "already_ready"
    message = "The consultation is already marked as ready for the doctor."


@transaction.atomic
def ready(*, by: Actor, consultation_id: UUID) -> ConsultationDetails:
    """Marks the consultation as ready for its doctor, who is notified and sees it in the queue. The doctor's next save clears the
    mark.

    Raises NotFound, Forbidden (no permission, or the caller is the consultation's doctor), NotOpen, AlreadyReady.
    """
    if not by.has_permission(Permission.CONSULTATION_READY):
        raise Forbidden
    row, _ = get_for_update(by, consultation_id)
    if row.doctor_id == by.id:
        raise OwnConsultation
    if row.status != Status.IN_PROGRESS:
        raise NotOpen(status=row.status, allowed=rules.LIFECYCLE.allowed(row.status))
    if row.ready_at:
        raise AlreadyReady(ready_at=row.ready_at)
    now = clock.now()
    marked = STATES.amend(row, ready_at=now, ready_by_id=by.id)
    STATES.record(marked, by=by, reason="Ready for the doctor")
    consultation = selectors.details(row)
    alerting.mark_queue(by, consultation)
    emit(ConsultationReady(**event_fields(row), ready_at=now), by=by)
    return consultation
