"""Signs a consultation, and adds addenda afterwards. The signed results enter the chart in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from apps.access.actor import Actor
from apps.appointments import services as appointments
from apps.common import clock
from apps.common.errors import Conflict, Invalid
from apps.consultations import selectors
from apps.consultations.events import ConsultationAmended, ConsultationCompleted
from apps.consultations.models import Addendum, Consultation, StepSave
from apps.consultations.rules import State, Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import acknowledging, chart_projection
from apps.consultations.services.locking import STATES, check_owner, event_fields, get_for_update
from apps.consultations.steps.definitions import Step
from apps.consultations.steps.ports import Acknowledged
from apps.events.services import emit
from apps.patients import services as charts


class Incomplete(Conflict):
    """`details.missing_steps` are the required steps that are not completed, `details.alerts` the alerts that are not
    acknowledged."""

    message = "The consultation is not complete."


class ChangedSinceRead(Conflict):
    message = "The visit has changed since you read it. Read it again, then sign."


@transaction.atomic
def complete(
    *,
    by: Actor,
    consultation_id: UUID,
    override_incomplete: bool = False,
    reason: str = "",
    acknowledged: Sequence[Acknowledged] = (),
    notify_patient: bool = True,
    version: int | None = None,
) -> ConsultationDetails:
    """Signs the consultation: its content is frozen and part of the chart, and the appointment is completed.

    `version` is the consultation's version that the signer read; None signs any (the API compares If-Match). Raises Invalid,
    NotFound, Forbidden, IllegalMove, ChangedSinceRead, and Incomplete unless it is overridden with a reason, which is stored.
    """
    if override_incomplete and not reason.strip():
        raise Invalid(field="reason", issue="Enter the reason for signing with missing steps.")
    row, patient = get_for_update(by, consultation_id)
    check_owner(by, row)
    STATES.check(row, Status.COMPLETED)
    if version is not None and version != row.version:
        raise ChangedSinceRead
    consultation = _acknowledge(by, selectors.details(row), acknowledged)
    is_incomplete = bool(consultation.progress.missing or consultation.open_alerts)
    if is_incomplete and not override_incomplete:
        raise _incomplete_error(consultation)
    signed = _sign(by, consultation, reason.strip() if is_incomplete else "")
    new_entries = chart_projection.entries(signed, list(selectors.saves_of(row, Step.VITALS))[::-1])
    entries = charts.record_all(by=by, patient_id=patient.pk, entries=new_entries, source=chart_projection.SOURCE)
    _complete_appointment(by, row)
    emit(_completed_event(by, consultation, chart_entries=len(entries), notify_patient=notify_patient), by=by)
    return signed


def _acknowledge(by: Actor, consultation: ConsultationDetails, given: Sequence[Acknowledged]) -> ConsultationDetails:
    """Returns the consultation with the alerts that are acknowledged together with the signature."""
    row = consultation.row
    answered = acknowledging.acknowledge_alerts(by, row, consultation.alerts, consultation.acknowledged, given)
    return selectors.build_details(row, consultation.saves, answered)


def _incomplete_error(consultation: ConsultationDetails) -> Incomplete:
    missing = consultation.progress.missing
    names = ", ".join(f"{int(step)} {step.wire_name}" for step in missing)
    sentences = [f"Not completed yet: {names}."] if missing else []
    sentences += ["Some alerts have not been acknowledged."] if consultation.open_alerts else []
    alerts = [_open_alert(alert) for alert in consultation.open_alerts]
    return Incomplete(" ".join(sentences), missing_steps=[int(step) for step in missing], alerts=alerts)


def _open_alert(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an alert as the consultation shows it, without an acknowledgement."""
    step = Step(alert["step"])
    alert_fields = {name: alert[name] for name in ("id", "rule_id", "because", "message")}
    more = {"urgent": alert.get("urgent", False), "acknowledged": None}
    return alert_fields | {"step_number": int(step), "step_name": step.wire_name} | more


def _sign(by: Actor, consultation: ConsultationDetails, overridden: str) -> ConsultationDetails:
    """Saves the last step and signs all steps."""
    row, now = consultation.row, clock.now()
    last = StepSave(
        consultation=row, number=Step.REVIEW_SIGN, version=1, state=State.COMPLETED.value, saved_at=now, saved_by_id=by.id
    )
    last.save(force_insert=True)
    saves = {**consultation.saves, Step.REVIEW_SIGN: last}
    STATES.move(
        row,
        Status.COMPLETED,
        by=by,
        reason=overridden,
        completed_at=now,
        ready_at=None,
        ready_by_id=None,
        signed_by_id=by.id,
        override_reason=overridden,
        current_step=int(Step.REVIEW_SIGN),
        content_sha256=content_sha256(consultation.row.pk, saves.values()),
    )
    return selectors.build_details(row, saves, consultation.acknowledged)


def content_sha256(consultation_id: UUID, saves: object) -> str:
    """Returns the hash of the signed content: every step's latest save, in order, as JSON with sorted keys."""
    content = [
        {"step": save.number, "version": save.version, "state": save.state, "data": save.data, "parsed": save.parsed}
        for save in sorted(saves, key=lambda save: save.number)  # type: ignore[call-overload]  # a step is its number
    ]
    text = json.dumps({"consultation": str(consultation_id), "steps": content}, sort_keys=True, cls=DjangoJSONEncoder)
    return sha256(text.encode()).hexdigest()


def _complete_appointment(by: Actor, row: Consultation) -> None:
    if row.appointment_id:
        appointment = appointments.complete(by=by, appointment_id=row.appointment_id)
        appointments.set_queue_marks(by=by, appointment=appointment, alert_since=None, ready_since=None)


def _completed_event(
    by: Actor, before: ConsultationDetails, *, chart_entries: int, notify_patient: bool
) -> ConsultationCompleted:
    """Returns the event, with what was missing `before` the signature that overrode it."""
    row = before.row
    return ConsultationCompleted(
        **event_fields(row),
        completed_at=row.completed_at,  # type: ignore[arg-type]  # it was stamped just now
        signed_by_id=by.id,
        chart_entries=chart_entries,
        missing_steps=tuple(int(step) for step in before.progress.missing),
        open_alerts=tuple(alert["rule_id"] for alert in before.open_alerts),
        notify_patient=notify_patient,
    )


@transaction.atomic
def add(*, by: Actor, consultation_id: UUID, text: str) -> ConsultationDetails:
    """Signs an addendum; the signed content stays. Raises Invalid, NotFound, Forbidden, and IllegalMove before the signature."""
    if not text.strip():
        raise Invalid(field="text", issue="Enter the text of the addendum.")
    row, patient = get_for_update(by, consultation_id)
    check_owner(by, row)
    STATES.move(row, Status.AMENDED, by=by)
    addendum = Addendum.objects.create(consultation=row, text=text.strip(), signed_at=clock.now(), signed_by_id=by.id)
    entry = chart_projection.addendum(row, addendum)
    charts.record_all(by=by, patient_id=patient.pk, entries=[entry], source=chart_projection.SOURCE)
    emit(ConsultationAmended(**event_fields(row), addendum_id=addendum.pk), by=by)
    return selectors.details(row)
