"""What the first page of a chart shows: the active entries of a kind, and the latest events."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count

from apps.access.actor import Actor
from apps.patients import selectors
from apps.patients.chart.entry_types import ACTIVE, NO_KNOWN_ALLERGY, EntryType
from apps.patients.models import ChartEntry

MOST = 100  # entries read of a kind; a page says "100" of more


def active(*, visible_to: Actor, patient_id: UUID, kind: EntryType) -> list[ChartEntry]:
    """Returns the active entries of a kind, the latest first, each code or text once. At most `MOST`. One query."""
    rows = selectors.chart(visible_to=visible_to, patient_id=patient_id, type=kind, status=ACTIVE)
    system, code, _ = NO_KNOWN_ALLERGY
    first: dict[tuple[str, str], ChartEntry] = {}
    for row in rows.exclude(code_system=system, code=code)[:MOST]:
        first.setdefault((row.code_system, row.code) if row.code else ("", row.display.casefold()), row)
    return list(first.values())


def latest(
    *, visible_to: Actor, patient_id: UUID, kinds: Collection[EntryType], without_source: str = "", count: int
) -> list[ChartEntry]:
    """Returns the latest entries of these kinds, without those of one source. One query."""
    rows = selectors.chart(visible_to=visible_to, patient_id=patient_id, type__in=kinds).not_in_error()
    return list((rows.exclude(source=without_source) if without_source else rows)[:count])


def counts(*, visible_to: Actor, patient_id: UUID, with_errors: bool = False) -> dict[str, int]:
    """Returns how many entries of each kind the actor may read, without those entered in error unless asked for. One query."""
    rows = selectors.chart(visible_to=visible_to, patient_id=patient_id).order_by()
    rows = rows if with_errors else rows.not_in_error()
    return dict(rows.values_list("type").annotate(number=Count("id")))
