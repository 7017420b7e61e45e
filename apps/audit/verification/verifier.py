"""Verifies the log against its seals: walks the chain and its rows, some thousands at a time, and names the first that differs.

Detects: a row changed by a byte, removed, exchanged with another, inserted into a sealed period; a seal changed, removed or
added; an anchor changed; the end of the chain cut off; a chain that contradicts the anchor file. Does not detect changes made
before sealing, within seconds.

A request verifies a bounded number of rows after the last that the worker has verified (`verify_recent`). The worker verifies the
whole log, step by step (`full_verification`).
"""

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.access.actor import Actor
from apps.audit import services
from apps.audit.models import Anchor, AuditEvent, Chain, Seal
from apps.audit.sealing import anchor_file, chain, seals
from apps.audit.sealing.anchor_file import AnchorRecord
from apps.audit.verification import progress, sql
from apps.common import keyring
from apps.common.errors import Conflict

log = logging.getLogger(__name__)

ProgressCallback = Callable[[int, int], None]
"""Receives the number of checked seals and their total."""

_MOST_RECORDS = 5_000  # of the anchor file are compared, the newest: twelve years of days
_RECENT = timedelta(days=1)
_BEFORE_ALL = UUID(int=0)
_AFTER_ALL = datetime(9000, 1, 1, tzinfo=UTC)  # Python's calendar ends soon after


class KeyUnreadable(Conflict):
    message = (
        "No key on HIMS_KEY_RING can read the key of the audit log. Put the ring's previous keys back, or "
        "restore the key in the database."
    )


class Flaw(StrEnum):
    """The kind of the first flaw."""

    CHANGED = "changed"  # the row, or its seal, differs from what was sealed
    REMOVED = "removed"  # its seal exists, the row is missing (or its time was changed)
    SEAL_REMOVED = "seal_removed"  # a position of the chain is empty
    SEAL_ADDED = "seal_added"  # after the end of the chain
    HEAD = "head_changed"  # the record of the chain's end
    ANCHOR = "anchor_changed"
    INSERTED = "inserted"  # into a time that was sealed already
    LOST = "chain_lost"  # the chain is empty, or ends before the anchor file's last anchor
    REPLACED = "chain_replaced"  # the anchor file names another chain


@dataclass(frozen=True)
class BrokenRow:
    """The first wrong row. `id` and `at` are None if only a position is known, `sequence` if there is none."""

    flaw: Flaw
    id: UUID | None = None
    at: datetime | None = None
    sequence: int | None = None


@dataclass(frozen=True)
class Verification:
    """`checked` seals were recomputed; `unsealed` rows wait for the next sealing.

    `whole_trail_verified_at` is when the worker last reached the end of the whole log and found it intact, None if never.
    """

    intact: bool
    checked: int
    unsealed: int
    first_broken: BrokenRow | None
    whole_trail_verified_at: datetime | None = None


@dataclass(frozen=True)
class OpenedChain:
    """The chain's head and key, checked against the anchor file; `broken` if they differ. No head: no seals."""

    head: Chain | None
    key: bytes = b""
    last: int | None = None
    broken: BrokenRow | None = None


def verify(
    *, by: Actor, since: datetime | None = None, watch: ProgressCallback | None = None, records: list[AnchorRecord] | None = None
) -> Verification:
    """Recomputes the chain, from the last anchor before `since` or from its beginning. Audited.

    `records` are those of the anchor file, or of a copy of it. Raises KeyUnreadable, AnchorFileUnreadable.
    """
    opened = open_chain(anchor_file.read() if records is None else records)
    checked, broken = 0, opened.broken
    if opened.head is not None and not broken:
        walk = ChainWalk(opened, _anchor_before(since))
        broken = walk.run(watch or _ignore_progress)
        checked = walk.checked
    unsealed, inserted = check_unsealed_rows()
    return _report(by, Verification(not (broken or inserted), checked, unsealed, broken or inserted, progress.finished_at()))


def verify_recent(*, by: Actor, since: datetime | None = None) -> Verification:
    """Recomputes at most HIMS_AUDIT_VERIFY_ROWS seals after the last that the worker verified, or after the anchor before
    `since`.

    A flaw that the worker found stays reported until the worker finds the log intact. Audited. Raises KeyUnreadable,
    AnchorFileUnreadable.
    """
    opened = open_chain(anchor_file.read())
    if opened.head is None:
        unsealed = seals.count_unsealed(None)
        return _report(by, Verification(not opened.broken, 0, unsealed, opened.broken, progress.finished_at()))
    progress_row = progress.load(opened.key)
    checked, broken = 0, opened.broken
    if not broken:
        trusted = (progress_row.trusted, bytes(progress_row.trusted_hash)) if progress_row else (0, chain.NO_SEAL)
        start = _anchor_before(since) if since else trusted
        walk = ChainWalk(opened, start, limit=settings.HIMS_AUDIT_VERIFY_ROWS)
        broken = walk.run(_ignore_progress)
        checked = walk.checked
    broken = broken or (broken_row_from(progress_row.broken) if progress_row else None) or _recently_inserted(opened.head)
    unsealed = seals.count_unsealed(opened.head)
    return _report(by, Verification(not broken, checked, unsealed, broken, progress.finished_at()))


def open_chain(records: list[AnchorRecord]) -> OpenedChain:
    """Returns the head and its key, checked against each other and the anchor file's records. Raises KeyUnreadable."""
    head, last = _head_and_last()
    if head is None:
        lost = BrokenRow(Flaw.LOST, sequence=1) if any(records) else None
        return OpenedChain(None, broken=BrokenRow(Flaw.HEAD) if last else lost)
    try:
        key = chain.key_of(head)
    except keyring.Unreadable as error:
        raise KeyUnreadable from error
    if not hmac.compare_digest(bytes(head.mac), chain.mac_of(head, key)):
        return OpenedChain(head, key, last, BrokenRow(Flaw.HEAD))
    return OpenedChain(head, key, last, _contradiction(head, key, records))


def _contradiction(head: Chain, key: bytes, records: list[AnchorRecord]) -> BrokenRow | None:
    """Returns the contradiction with the anchor file."""
    match anchor_file.find_contradiction(records, chain_id=chain.id_of(key), sequence=head.sequence):
        case "replaced":
            return BrokenRow(Flaw.REPLACED)
        case "lost":
            return BrokenRow(Flaw.LOST, sequence=head.sequence + 1)
    recorded = {record.sequence: record.seal for record in records if record.sequence}
    rows = {row.sequence: row for row in Seal.objects.filter(sequence__in=sorted(recorded)[-_MOST_RECORDS:])}
    for sequence in sorted(recorded)[-_MOST_RECORDS:]:
        if sequence not in rows:
            return BrokenRow(Flaw.SEAL_REMOVED, sequence=sequence)
        if bytes(rows[sequence].hash).hex() != recorded[sequence]:
            return BrokenRow(Flaw.ANCHOR, rows[sequence].event_id, rows[sequence].at, sequence)
    return None


def broken_row_from(stored: dict[str, Any] | None) -> BrokenRow | None:
    """Returns a flaw from its stored form in `progress`."""
    if stored is None:
        return None
    row_id, at = stored.get("id"), stored.get("at")
    return BrokenRow(Flaw(stored["flaw"]), row_id and UUID(row_id), at and datetime.fromisoformat(at), stored.get("sequence"))


def _report(by: Actor, verification: Verification) -> Verification:
    """Writes the audit row, and the log line if the log is not intact."""
    outcome = AuditEvent.Outcome.SUCCESS if verification.intact else AuditEvent.Outcome.FAILURE
    about: dict[str, Any] = {"intact": verification.intact, "checked": verification.checked, "unsealed": verification.unsealed}
    services.record(by=by, action="trail.verified", outcome=outcome, **about)
    if not verification.intact:
        log.error("the audit log differs from its seals: %s", verification.first_broken)
    return verification


def _anchor_before(since: datetime | None) -> tuple[int, bytes]:
    """Returns position and seal of the last anchor before that day; the beginning of the chain without one."""
    day = since.astimezone(UTC).date() if since else None
    anchor = Anchor.objects.filter(day__lt=day).order_by("-day").first() if day else None
    return (anchor.sequence, bytes(anchor.hash)) if anchor else (0, chain.NO_SEAL)


class ChainWalk:
    """Walks along the chain, seal by seal, from a position whose seal is known, for at most so many seals."""

    def __init__(self, opened: OpenedChain, start: tuple[int, bytes], *, limit: int | None = None) -> None:
        assert opened.head is not None
        self.head, self.last, self._sealer = opened.head, opened.last, chain.Sealer(opened.key)
        self.start, self.before = start
        self.place = self.start
        self.until = self.head.sequence if limit is None else min(self.head.sequence, self.start + limit)
        anchors = Anchor.objects.filter(sequence__gt=self.start, sequence__lte=self.until)
        self._anchors = {anchor.sequence: bytes(anchor.hash) for anchor in anchors}

    @property
    def checked(self) -> int:
        return self.place - self.start

    @property
    def is_at_end(self) -> bool:
        return self.place >= self.head.sequence

    def run(self, watch: ProgressCallback) -> BrokenRow | None:
        """Returns the first flaw, or None if every seal up to `until` is correct (and, at the end of the chain, nothing follows
        it)."""
        while self.place < self.until:
            rows = sql.fetch_plain(sql.SEALS, [self.place, self.until])
            if not rows:
                return self._gap()
            if broken := self._first_flaw(rows):
                return broken
            watch(self.checked, self.head.sequence - self.start)
        if not self.is_at_end:
            return None
        if self.before != bytes(self.head.hash):
            return BrokenRow(Flaw.HEAD, sequence=self.place)
        return _added_seal(self.head, self.last)

    def _first_flaw(self, rows: list[tuple[Any, ...]]) -> BrokenRow | None:
        seal, anchors, before, place = self._sealer.seal, self._anchors, self.before, self.place
        for sequence, stored, *row in rows:
            if sequence != place + 1 or row[0] is None:
                break
            computed = seal(before, sequence, row)
            if computed != stored or (anchors and anchors.get(sequence, computed) != computed):
                break
            place, before = sequence, computed
        self.before, moved = before, place - self.place
        self.place = place
        return None if moved == len(rows) else self._flaw_of(rows[moved])

    def _flaw_of(self, row: tuple[Any, ...]) -> BrokenRow:
        """Returns the flaw of the row after the last correct one."""
        sequence, stored = row[:2]
        if sequence != self.place + 1:
            return self._gap()
        seal = Seal.objects.get(sequence=sequence)
        where = (seal.event_id, seal.at, sequence)
        if row[2] is None:
            return BrokenRow(Flaw.REMOVED, *where)
        computed = self._sealer.seal(self.before, sequence, row[2:])
        return BrokenRow(Flaw.CHANGED if computed != stored else Flaw.ANCHOR, *where)

    def _gap(self) -> BrokenRow:
        return BrokenRow(Flaw.SEAL_REMOVED, sequence=self.place + 1)


def _head_and_last() -> tuple[Chain | None, int | None]:
    """Returns the head, and the last position that has a seal, at one moment."""
    last = Seal.objects.order_by("-sequence").values("sequence")[:1]
    head = Chain.objects.annotate(last=last).first()
    if head is None:
        return None, Seal.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return head, head.last


def _added_seal(head: Chain, last: int | None) -> BrokenRow | None:
    if last is None or last <= head.sequence:
        return None
    row = Seal.objects.filter(sequence__gt=head.sequence, sequence__lte=last).order_by("sequence").first()
    return BrokenRow(Flaw.SEAL_ADDED, row.event_id, row.at, row.sequence) if row else None


def check_unsealed_rows() -> tuple[int, BrokenRow | None]:
    """Returns how many rows have no seal, and the first of them that should have been sealed long ago. Counts the whole log."""
    head = Chain.objects.first()
    if out_of_time := sql.fetch(sql.OUT_OF_TIME, [seals.BEGINNING, _AFTER_ALL]):
        return 0, BrokenRow(Flaw.INSERTED, out_of_time[0][0])
    sealed_until = seals.sealed_until(head) if head else None
    if sealed_until is None:
        return seals.count_unsealed(head), None
    ((without, recent),) = sql.fetch(sql.COUNTS, [sealed_until])
    return without, _first_inserted(sealed_until) if without > recent else None


def _first_inserted(sealed_until: datetime) -> BrokenRow | None:
    """Scans all rows of the sealed period for the first without a seal."""
    after = (seals.BEGINNING, _BEFORE_ALL)
    while rows := sql.fetch(sql.ROWS, [after[0], *after, sealed_until]):
        for row_id, at, sealed in rows:
            if not sealed and at < sealed_until:
                return BrokenRow(Flaw.INSERTED, row_id, at)
        after = (rows[-1][1], rows[-1][0])
    return None


def _recently_inserted(head: Chain) -> BrokenRow | None:
    """Returns the first row without a seal among the last of the sealed period: a bounded number."""
    if out_of_time := sql.fetch(sql.OUT_OF_TIME, [seals.BEGINNING, _AFTER_ALL]):
        return BrokenRow(Flaw.INSERTED, out_of_time[0][0])
    until = seals.sealed_until(head)
    rows = sql.fetch(sql.INSERTED, [until - _RECENT, until, settings.HIMS_AUDIT_VERIFY_ROWS]) if until else []
    return BrokenRow(Flaw.INSERTED, *rows[0]) if rows else None


def _ignore_progress(checked: int, total: int) -> None:
    """Ignores the progress."""
