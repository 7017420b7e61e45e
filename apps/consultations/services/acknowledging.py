"""Answering the alerts of the adaptive rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common import clock
from apps.common.errors import Forbidden, Invalid
from apps.consultations.models import Acknowledgement, Consultation
from apps.consultations.ports import Acknowledged


def answer(
    by: Actor,
    row: Consultation,
    alerts: Iterable[Mapping[str, Any]],
    answered: Mapping[str, Acknowledgement],
    told: Sequence[Acknowledged],
    *,
    others_listen: bool = False,
) -> dict[str, Acknowledgement]:
    """Write down which alerts were seen, and why they are passed over; what was answered before stays.

    An alert is named by its id, or by its rule. Raises Invalid for one that is not there, unless `others_listen`: then it may be
    one of a step handler's. Raises Forbidden where a nurse answers an alert that calls the doctor.
    """
    by_name = {name: alert for alert in alerts for name in (alert["rule_id"], alert["id"])}
    found = dict(answered)
    for place, one in enumerate(told):
        alert = by_name.get(one.id)
        if alert is None and not others_listen:
            raise Invalid(field=f"acknowledged_alerts[{place}].id", issue="The consultation has no such alert.")
        if alert is not None and alert.get("urgent") and not by.may(Permission.CONSULTATION_STEP_ANY):
            raise Forbidden("A doctor acknowledges this alert.", field=f"acknowledged_alerts[{place}].id")
        if alert is not None and alert["id"] not in found:
            found[alert["id"]] = _answered(by, row, alert, one.reason)
    fresh = [one for alert_id, one in found.items() if alert_id not in answered]
    Acknowledgement.objects.bulk_create(fresh)
    return found


def _answered(by: Actor, row: Consultation, alert: Mapping[str, Any], reason: str) -> Acknowledgement:
    return Acknowledgement(
        consultation=row,
        alert_id=alert["id"],
        rule_id=alert["rule_id"],
        because=alert["because"][:400],
        reason=reason,
        at=clock.now(),
        by_id=by.id,
    )
