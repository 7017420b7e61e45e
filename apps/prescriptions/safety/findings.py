"""Alerts with their ids. The id is a digest of what was found, so that it is the same whatever the direction or the occasion."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from apps.prescriptions.safety.facts import RANK, Alert, Medicine, Severity


def alert(
    kind: str,
    severity: Severity,
    because: str,
    source: str,
    *,
    parts: Iterable[str],
    medicines: Iterable[Medicine],
    lines: Iterable[Medicine],
    management: str = "",
    is_hidden: bool = False,
) -> Alert:
    """Returns the alert. `parts` are what makes the finding: ingredients, the allergy; the order does not matter."""
    medicines = list(medicines)
    return Alert(
        id=_digest(kind, parts),
        severity=severity,
        kind=kind,
        because=because,
        source=source,
        drugs=tuple(dict.fromkeys(one.name for one in medicines)),
        lines=tuple(dict.fromkeys(one.key for one in lines)),
        management=management,
        is_hidden=is_hidden or any(one.is_hidden for one in medicines),
    )


def _digest(kind: str, parts: Iterable[str]) -> str:
    text = "|".join((kind, *sorted(set(parts))))
    return blake2b(text.encode(), digest_size=10).hexdigest()


def sealed(alert: Alert, secret: bytes) -> Alert:
    """Returns the alert with an id that only who knows the secret can make from the drugs."""
    return replace(alert, id=blake2b(alert.id.encode(), key=secret[:64], digest_size=10).hexdigest())


def most_severe(alerts: Iterable[Alert]) -> list[Alert]:
    """Returns one alert for each id, the most severe, with all lines and drugs of the others; the most severe first."""
    by_id: dict[str, Alert] = {}
    for one in alerts:
        known = by_id.get(one.id)
        by_id[one.id] = one if known is None else _joined(known, one)
    return sorted(by_id.values(), key=lambda one: (RANK[one.severity], one.kind, one.because))


def _joined(one: Alert, other: Alert) -> Alert:
    first, second = sorted((one, other), key=lambda alert: RANK[alert.severity])
    return replace(
        first,
        drugs=tuple(dict.fromkeys(first.drugs + second.drugs)),
        lines=tuple(dict.fromkeys(first.lines + second.lines)),
        is_hidden=first.is_hidden or second.is_hidden,
    )
