"""What a caller without access to the closed part of a chart learns of it: that there is a conflict, and nothing else."""

from dataclasses import replace

from apps.prescriptions.safety.facts import Alert, Verdict


def for_reader(verdict: Verdict, *, may_see_all: bool) -> Verdict:
    """Returns the verdict as the caller may see it. Ids and severities stay, so that an answer to an alert counts."""
    if may_see_all:
        return verdict
    return replace(verdict, alerts=tuple(_closed(one) if one.is_hidden else one for one in verdict.alerts))


def _closed(alert: Alert) -> Alert:
    what = "an allergy" if alert.kind == "allergy" else "a medicine"
    kind = alert.kind if alert.kind == "allergy" else "interaction"
    because = f"Conflicts with {what} in the closed part of the chart."
    return replace(alert, kind=kind, because=because, drugs=alert.drugs[:1], management="", source="")
