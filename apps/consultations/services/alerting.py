"""Urgent alerts of the vital signs: raised with the value, announced once, cleared by a better value, acknowledged by a doctor.

Rows of the adaptive table determine which values are urgent (`urgent`), in every workflow. This module stores the history of
alerts, notifies the doctor through an event, and marks the appointment's row in the queue.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.access.actor import Actor
from apps.appointments import services as appointments
from apps.common import clock
from apps.consultations.events import ConsultationAlertRaised, ConsultationAlertsCleared
from apps.consultations.models import Consultation, VitalAlert
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services.locking import event_fields
from apps.events.services import emit

Alert = Mapping[str, Any]


def only_urgent(alerts: Iterable[Alert]) -> list[Alert]:
    """Returns the alerts that need the doctor. Consultations with the guidance of an older table have none."""
    return [alert for alert in alerts if alert.get("urgent")]


def renumber(row: Consultation, guidance: Mapping[str, Any]) -> None:
    """Gives an alert that is raised again after it was cleared an id of its own, so that it is announced and acknowledged anew.
    One query."""
    for_doctor = [alert for alert in guidance.get("alerts", []) if alert.get("urgent")]
    if not for_doctor:
        return
    known = list(VitalAlert.objects.filter(consultation=row).values_list("alert_id", "cleared_at"))
    for alert in for_doctor:
        same_rule = [(alert_id, cleared) for alert_id, cleared in known if alert_id.partition(".")[0] == alert["id"]]
        uncleared = [alert_id for alert_id, cleared in same_rule if cleared is None]
        if same_rule:
            alert["id"] = uncleared[0] if uncleared else f"{alert['id']}.{len(same_rule) + 1}"


def refresh(by: Actor, before: Sequence[Alert], after: ConsultationDetails) -> None:
    """Updates the history, the events and the queue to the alerts after a save."""
    raised = _record(by, after.row, before, only_urgent(after.alerts))
    mark_queue(by, after, raised_at=clock.now() if raised and by.id != after.row.doctor_id else None)


def mark_queue(by: Actor, consultation: ConsultationDetails, *, raised_at: datetime | None = None) -> None:
    """Marks the appointment's row while an urgent alert is not acknowledged, under the consultation's current doctor. Values that
    the doctor enters set no mark, because the doctor knows them."""
    appointment = consultation.row.appointment
    if appointment is None:
        return
    if consultation.row.doctor_id != (appointment.attending_doctor_id or appointment.doctor_id):
        appointments.assign_attending(by=by, appointment=appointment, doctor_id=consultation.row.doctor_id)
    is_open = bool(only_urgent(consultation.open_alerts))
    alert_since = (appointment.alert_since or raised_at) if is_open else None
    appointments.set_queue_marks(by=by, appointment=appointment, alert_since=alert_since, ready_since=consultation.row.ready_at)


def _record(by: Actor, row: Consultation, before: Sequence[Alert], now_urgent: Sequence[Alert]) -> list[Alert]:
    """Records raised and cleared alerts in the history and announces them. Returns the raised ones."""
    if not now_urgent and not only_urgent(before):
        return []
    uncleared = set(VitalAlert.objects.filter(consultation=row, cleared_at=None).values_list("alert_id", flat=True))
    current = {alert["id"]: alert for alert in now_urgent}
    if cleared := sorted(uncleared - set(current)):
        at = clock.now()
        VitalAlert.objects.filter(consultation=row, alert_id__in=cleared).update(cleared_at=at, cleared_by_id=by.id)
        emit(ConsultationAlertsCleared(**event_fields(row), alert_ids=tuple(cleared)), by=by)
    raised = [alert for alert_id, alert in current.items() if alert_id not in uncleared]
    if raised:
        VitalAlert.objects.bulk_create(history(row, raised, clock.now(), by.id))
        rules, ids = (tuple(alert[name] for alert in raised) for name in ("rule_id", "id"))
        emit(ConsultationAlertRaised(**event_fields(row), rule_ids=rules, alert_ids=ids), by=by)
    return raised


def history(row: Consultation, raised: Iterable[Alert], at: datetime, by_id: Any) -> list[VitalAlert]:
    """Returns the unsaved history rows of raised alerts."""
    return [
        VitalAlert(
            consultation=row,
            alert_id=alert["id"],
            rule_id=alert["rule_id"],
            because=alert["because"][:400],
            message=alert["message"][:400],
            raised_at=at,
            raised_by_id=by_id,
        )
        for alert in raised
    ]
