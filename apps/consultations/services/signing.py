"""Signing a visit, and adding to it afterwards. What is signed stands in the chart in the same transaction."""

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
from apps.consultations import projecting, rules, selectors
from apps.consultations.events import ConsultationAmended, ConsultationCompleted
from apps.consultations.models import Addendum, StepSave
from apps.consultations.ports import Acknowledged
from apps.consultations.rules import State, Status
from apps.consultations.selectors import Visit
from apps.consultations.services import acknowledging
from apps.consultations.services.holding import about, enter, held, illegal, refuse_others
from apps.consultations.steps import Step
from apps.events.services import emit
from apps.patients import services as charts


class Incomplete(Conflict):
    """`details.missing_steps` are the required steps that are not completed, `details.alerts` those that nobody has answered."""

    message = "The consultation is not complete."


@transaction.atomic
def complete(
    *,
    by: Actor,
    consultation_id: UUID,
    override_incomplete: bool = False,
    reason: str = "",
    acknowledged: Sequence[Acknowledged] = (),
    notify_patient: bool = True,
) -> Visit:
    """Sign the visit: its content is frozen, stands in the chart, and the appointment is over.

    Raises Invalid, NotFound, Forbidden, IllegalMove, and Incomplete unless it is overridden with a reason, which is kept.
    """
    if override_incomplete and not reason.strip():
        raise Invalid(field="reason", issue="Say why it is signed although something is missing.")
    row, patient = held(by, consultation_id)
    refuse_others(by, row)
    if not rules.may_follow(row.status, Status.COMPLETED):
        raise illegal(row, Status.COMPLETED)
    visit = selectors.whole(row)
    answered = acknowledging.answer(by, row, visit.alerts, visit.acknowledged, acknowledged)
    visit = selectors.put_together(row, visit.saves, answered)
    missing, open_alerts = visit.progress.missing, visit.open_alerts
    if (missing or open_alerts) and not override_incomplete:
        raise _incomplete(visit)
    overridden = reason.strip() if missing or open_alerts else ""
    visit = _signed(by, visit, overridden)
    entries = charts.record_all(by=by, patient_id=patient.pk, entries=projecting.entries(visit), source=projecting.SOURCE)
    if row.appointment_id:
        done = appointments.finish(by=by, appointment_id=row.appointment_id)
        appointments.mark(by=by, appointment=done, alert_since=None, ready_since=None)
    fact = ConsultationCompleted(
        **about(row),
        completed_at=visit.row.completed_at,  # type: ignore[arg-type]  # it was stamped just now
        signed_by_id=by.id,
        chart_entries=len(entries),
        missing_steps=tuple(int(step) for step in missing),
        open_alerts=tuple(alert["rule_id"] for alert in open_alerts),
        notify_patient=notify_patient,
    )
    emit(fact, by=by)
    return visit


@transaction.atomic
def add(*, by: Actor, consultation_id: UUID, text: str) -> Visit:
    """Sign an addendum; what was signed before stays. Raises Invalid, NotFound, Forbidden, IllegalMove before the signature."""
    if not text.strip():
        raise Invalid(field="text", issue="Say what is to be added.")
    row, patient = held(by, consultation_id)
    refuse_others(by, row)
    enter(by, row, Status.AMENDED)
    added = Addendum.objects.create(consultation=row, text=text.strip(), signed_at=clock.now(), signed_by_id=by.id)
    entry = projecting.addendum(row, added)
    charts.record_all(by=by, patient_id=patient.pk, entries=[entry], source=projecting.SOURCE)
    emit(ConsultationAmended(**about(row), addendum_id=added.pk), by=by)
    return selectors.whole(row)


def _incomplete(visit: Visit) -> Incomplete:
    missing = visit.progress.missing
    names = ", ".join(f"{int(step)} {step.word}" for step in missing)
    said = [f"Still to be completed: {names}."] if missing else []
    said += ["Alerts are still to be acknowledged."] if visit.open_alerts else []
    alerts = [_open(alert) for alert in visit.open_alerts]
    return Incomplete(" ".join(said), missing_steps=[int(step) for step in missing], alerts=alerts)


def _open(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as the visit shows it, answered by nobody."""
    step = Step(alert["step"])
    told = {name: alert[name] for name in ("id", "rule_id", "because", "message")}
    more = {"urgent": alert.get("urgent", False), "acknowledged": None}
    return told | {"step_number": int(step), "step_name": step.word} | more


def _signed(by: Actor, visit: Visit, overridden: str) -> Visit:
    """The last step, and the signature under all of them."""
    row, now = visit.row, clock.now()
    last = StepSave(
        consultation=row, number=Step.REVIEW_SIGN, version=1, state=State.COMPLETED.value, saved_at=now, saved_by_id=by.id
    )
    last.save(force_insert=True)
    saves = {**visit.saves, Step.REVIEW_SIGN: last}
    enter(
        by,
        row,
        Status.COMPLETED,
        reason=overridden,
        completed_at=now,
        ready_at=None,
        ready_by_id=None,
        signed_by_id=by.id,
        override_reason=overridden,
        current_step=int(Step.REVIEW_SIGN),
        content_sha256=content_sha256(visit.row.pk, saves.values()),
    )
    return selectors.put_together(row, saves, visit.acknowledged)


def content_sha256(consultation_id: UUID, saves: object) -> str:
    """What a signature is of: every step as it stands, in order, as JSON with sorted keys."""
    content = [
        {"step": save.number, "version": save.version, "state": save.state, "data": save.data, "parsed": save.parsed}
        for save in sorted(saves, key=lambda save: save.number)  # type: ignore[call-overload]
    ]
    text = json.dumps({"consultation": str(consultation_id), "steps": content}, sort_keys=True, cls=DjangoJSONEncoder)
    return sha256(text.encode()).hexdigest()
