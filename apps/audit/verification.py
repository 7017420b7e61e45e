"""Is the trail as it was sealed? Walks the chain and the rows beside it, some thousands at a time, and names the first that is
not.

Found is: a row changed by a byte, removed, exchanged with another, slipped into what is sealed already; a seal changed, removed
or added; an anchor changed; the chain's end cut off. Not found is what was changed before it was sealed, within seconds.
"""

import hmac
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from apps.access.actor import Actor
from apps.audit import chain, sealing, services
from apps.audit.models import Anchor, AuditEvent, Chain, Seal
from apps.common import clock, keyring
from apps.common.errors import Conflict

log = logging.getLogger(__name__)

Watch = Callable[[int, int], None]
"""Told how many seals are checked, and of how many."""

_STEP = 5_000
_BEFORE_ALL = UUID(int=0)
_AFTER_ALL = datetime(9000, 1, 1, tzinfo=UTC)  # Python's calendar ends soon after

# One row each by its key: the planner is not asked.
_SEALS = f"""
SELECT s.sequence, s.hash, s.event_id, s.at, a.*
FROM (SELECT * FROM audit_seal WHERE sequence > %s AND sequence <= %s ORDER BY sequence LIMIT {_STEP}) s
LEFT JOIN LATERAL (SELECT {chain.COLUMNS} FROM audit_auditevent a WHERE a.id = s.event_id AND a.at = s.at LIMIT 1) a ON true
ORDER BY s.sequence
"""  # noqa: S608
_ROWS = f"""
SELECT a.id, a.at, EXISTS (SELECT FROM audit_seal s WHERE s.event_id = a.id AND s.at = a.at OFFSET 0)
FROM audit_auditevent a WHERE a.at >= %s AND (a.at, a.id) > (%s, %s) AND a.at <= %s ORDER BY a.at, a.id LIMIT {_STEP}
"""  # noqa: S608
_OUT_OF_TIME = "SELECT id FROM audit_auditevent WHERE at < %s OR at >= %s LIMIT 1"


class KeyUnreadable(Conflict):
    message = "No key on HIMS_KEY_RING reads the key of the trail. Put the ring's former keys back, or restore the database's."


class Flaw(StrEnum):
    """What is wrong with the first row that is wrong."""

    CHANGED = "changed"  # the row, or its seal, is not as it was sealed
    REMOVED = "removed"  # its seal stands, the row is gone (or its time was changed)
    SEAL_REMOVED = "seal_removed"  # a place of the chain is empty
    SEAL_ADDED = "seal_added"  # behind the chain's end
    HEAD = "head_changed"  # the record of the chain's end
    ANCHOR = "anchor_changed"
    INSERTED = "inserted"  # into a time that was sealed already


@dataclass(frozen=True)
class Broken:
    """The first row that is wrong. `id` and `at` are None where only a place is known, `sequence` where there is none."""

    flaw: Flaw
    id: UUID | None = None
    at: datetime | None = None
    sequence: int | None = None


@dataclass(frozen=True)
class Verification:
    """`checked` seals were recomputed; `unsealed` rows wait for the next sealing."""

    intact: bool
    checked: int
    unsealed: int
    first_broken: Broken | None


def verify(*, by: Actor, since: datetime | None = None, watch: Watch | None = None) -> Verification:
    """Recompute the chain, from the last anchor before `since` or from its beginning. On record. Raises KeyUnreadable."""
    try:
        checked, broken = _chain(since, watch or _nobody)
    except keyring.Unreadable as error:
        raise KeyUnreadable from error
    unsealed, inserted = _beside(since)
    found = Verification(intact=not (broken or inserted), checked=checked, unsealed=unsealed, first_broken=broken or inserted)
    outcome = AuditEvent.Outcome.SUCCESS if found.intact else AuditEvent.Outcome.FAILURE
    services.note(by=by, action="trail.verified", outcome=outcome, intact=found.intact, checked=checked, unsealed=unsealed)
    if not found.intact:
        log.error("the trail is not as it was sealed: %s", found.first_broken)
    return found


def _chain(since: datetime | None, watch: Watch) -> tuple[int, Broken | None]:
    """How many seals are right, and what is wrong with the first that is not."""
    head, last = _end()
    if head is None:
        return 0, Broken(Flaw.HEAD) if last else None
    key = chain.key_of(head)
    if not hmac.compare_digest(bytes(head.mac), chain.mac_of(head, key)):
        return 0, Broken(Flaw.HEAD)
    start = Anchor.objects.filter(day__lt=since.astimezone(UTC).date()).order_by("-day").first() if since else None
    walk = _Walk(head, key, start)
    for row in walk.rows():
        if broken := walk.flaw_of(row):
            return walk.checked, broken
        if walk.checked % _STEP == 0:
            watch(walk.checked, head.sequence - walk.start)
    watch(walk.checked, head.sequence - walk.start)
    return walk.checked, walk.flaw_of_end() or _added(head, last)


class _Walk:
    """Along the chain, seal by seal."""

    def __init__(self, head: Chain, key: bytes, start: Anchor | None) -> None:
        self.head, self.key = head, key
        self.start = self.place = start.sequence if start else 0
        self.before = bytes(start.hash) if start else chain.NOTHING
        kept = Anchor.objects.filter(sequence__gt=self.start, sequence__lte=head.sequence)
        self.anchors = {anchor.sequence: bytes(anchor.hash) for anchor in kept}

    @property
    def checked(self) -> int:
        return self.place - self.start

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Sequence, seal, id and time of each seal, then the row's columns (None where it is gone)."""
        after = self.start
        while found := _fetch(_SEALS, [after, self.head.sequence]):
            yield from found
            after = found[-1][0]

    def flaw_of(self, row: tuple[Any, ...]) -> Broken | None:
        """What is wrong with the row; None moves on behind it."""
        sequence, kept, row_id, at = row[:4]
        if sequence != self.place + 1:
            return self._gap()
        if row[4] is None:
            return Broken(Flaw.REMOVED, row_id, at, sequence)
        made = chain.seal(self.key, self.before, sequence, row[4:])
        if not hmac.compare_digest(made, bytes(kept)):
            return Broken(Flaw.CHANGED, row_id, at, sequence)
        if self.anchors.get(sequence, made) != made:
            return Broken(Flaw.ANCHOR, row_id, at, sequence)
        self.place, self.before = sequence, made
        return None

    def flaw_of_end(self) -> Broken | None:
        """Whether the chain ends where its head says."""
        if self.place < self.head.sequence:
            return self._gap()
        return None if self.before == bytes(self.head.hash) else Broken(Flaw.HEAD, sequence=self.place)

    def _gap(self) -> Broken:
        return Broken(Flaw.SEAL_REMOVED, sequence=self.place + 1)


def _end() -> tuple[Chain | None, int | None]:
    """The head, and the last place that has a seal, at one moment."""
    last = Seal.objects.order_by("-sequence").values("sequence")[:1]
    head = Chain.objects.annotate(last=last).first()
    if head is None:
        return None, Seal.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return head, head.last


def _added(head: Chain, last: int | None) -> Broken | None:
    if last is None or last <= head.sequence:
        return None
    row = Seal.objects.filter(sequence__gt=head.sequence, sequence__lte=last).order_by("sequence").first()
    return Broken(Flaw.SEAL_ADDED, row.event_id, row.at, row.sequence) if row else None


def _beside(since: datetime | None) -> tuple[int, Broken | None]:
    """How many rows have no seal, and the first of them that should have had one long ago."""
    head = Chain.objects.first()
    sealed_until = sealing.open_until(head) if head else None
    if out_of_time := _fetch(_OUT_OF_TIME, [sealing.BEGINNING, _AFTER_ALL]):
        return 0, Broken(Flaw.INSERTED, out_of_time[0][0])
    begin, unsealed, first = since or sealing.BEGINNING, 0, None
    after, until = (begin, _BEFORE_ALL), clock.now()
    while found := _fetch(_ROWS, [after[0], *after, until]):
        for row_id, at, sealed in found:
            unsealed += not sealed
            if not sealed and first is None and sealed_until and at < sealed_until:
                first = Broken(Flaw.INSERTED, row_id, at)
        after = (found[-1][1], found[-1][0])
    return unsealed, first


def _fetch(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _nobody(checked: int, total: int) -> None:
    """Watches nothing."""
