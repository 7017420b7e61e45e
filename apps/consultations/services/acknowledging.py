"""Acknowledges the alerts of the adaptive rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import Forbidden, Invalid
from apps.consultations.models import Acknowledgement, Consultation
from apps.consultations.rights import Permission
from apps.consultations.steps.ports import Acknowledged


class DoctorRequired(Forbidden):
    message = "Only a doctor can acknowledge this alert."


def acknowledge_alerts(
    by: Actor,
    row: Consultation,
    alerts: Iterable[Mapping[str, Any]],
    answered: Mapping[str, Acknowledgement],
    given: Sequence[Acknowledged],
    *,
    has_handler: bool = False,
) -> dict[str, Acknowledgement]:
    """Records which alerts were acknowledged, and why they are overridden; earlier acknowledgements stay.

    `given` names an alert by its id or its rule. Raises Invalid for an unknown alert, unless `has_handler`: then it may be one of
    a step handler's. Raises Forbidden if a nurse acknowledges an alert that needs the doctor.
    """
    by_name = {name: alert for alert in alerts for name in (alert["rule_id"], alert["id"])}
    acknowledgements = dict(answered)
    for position, one in enumerate(given):
        alert = by_name.get(one.id)
        if alert is None and not has_handler:
            raise Invalid(field=f"acknowledged_alerts[{position}].id", issue="The consultation has no such alert.")
        if alert is not None and alert.get("urgent") and not by.has_permission(Permission.CONSULTATION_STEP_ANY):
            raise DoctorRequired(field=f"acknowledged_alerts[{position}].id")
        if alert is not None and alert["id"] not in acknowledgements:
            acknowledgements[alert["id"]] = _acknowledgement(by, row, alert, one.reason)
    new = [one for alert_id, one in acknowledgements.items() if alert_id not in answered]
    Acknowledgement.objects.bulk_create(new)
    return acknowledgements


def _acknowledgement(by: Actor, row: Consultation, alert: Mapping[str, Any], reason: str) -> Acknowledgement:
    return Acknowledgement(
        consultation=row,
        alert_id=alert["id"],
        rule_id=alert["rule_id"],
        because=alert["because"][:400],
        reason=reason,
        at=clock.now(),
        by_id=by.id,
    )
