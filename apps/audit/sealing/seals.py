"""Sealing: a worker gives every visible row its position in the chain.

Requests only insert; they share no lock and do not read seals. A transaction may commit after rows with a later time were sealed:
its rows get the next positions, in the order in which they were seen. A pass searches NEAR before the latest sealed time; once a
minute a thorough one searches LATE before the last thorough one. A row that appears further back was not written by HIMS, whose
transactions end within minutes: it is never sealed, and `verification` names it.
"""

import hmac
import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from apps.audit.models import Anchor, Chain, Seal
from apps.audit.sealing import anchor_file, chain, sql
from apps.common import keyring, locks
from apps.common.locks import LockName

log = logging.getLogger(__name__)

BATCH = 5_000
NEAR_WINDOW = timedelta(seconds=20)
LATE_WINDOW = timedelta(hours=1)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)

MAX_COUNTED = 100_000  # rows that wait: a page shows no larger number
_recorded: set[str] = set()  # chains whose anchor file this process knows to be complete


class ChainBroken(Exception):
    """The head of the chain differs from its last state, or is missing: further sealing would hide that."""


def seal(*, thorough: bool = False) -> int:
    """Seals the waiting rows. Returns how many; 0 if another sealer is running. Raises ChainBroken, keyring.Unreadable."""
    total = 0
    for look_far in (False, True) if thorough else (False,):
        sealed = BATCH
        while sealed == BATCH:
            sealed = seal_batch(look_far=look_far)
            total += sealed
    return total


@transaction.atomic
def seal_batch(*, look_far: bool = False, limit: int = BATCH) -> int:
    """Seals up to `limit` rows, all or none. Returns how many."""
    if not locks.try_lock(LockName.AUDIT_SEALING):
        return 0
    now = sql.transaction_time()
    head, key = _head(now)
    moved = _anchor(head, now)
    rows = sql.waiting(since=_search_from(head, look_far=look_far), limit=limit)
    if rows:
        sql.insert_seals(*_seal_columns(head, key, rows))
        head.reach = max(min(rows[-1][0], now), head.reach or BEGINNING)
    _record_in_anchor_file(head, key, anchored=moved)
    if len(rows) < limit and (look_far or head.swept is None):
        head.swept, moved = max(now, head.swept or now), True
    if rows or moved:
        head.mac = chain.mac_of(head, key)
        _save(head)
    return len(rows)


def count_unsealed(head: Chain | None) -> int:
    """Returns how many rows are not sealed yet; MAX_COUNTED if there are more."""
    return sql.count_waiting(since=_search_from(head, look_far=False) if head else BEGINNING, up_to=MAX_COUNTED)


def oldest_unsealed() -> datetime | None:
    """Returns when the oldest row after the latest seal was written; None if all are sealed. Reads one entry of an index."""
    return sql.oldest_unsealed(BEGINNING)


def sealed_until(head: Chain) -> datetime | None:
    """Rows before this time are sealed, or were not written by HIMS. None until the first seals exist."""
    return head.swept - LATE_WINDOW if head.swept else None


def _head(now: datetime) -> tuple[Chain, bytes]:
    """Returns the checked head of the chain, and the key."""
    head = Chain.objects.first()  # the advisory lock keeps other sealers away; a row lock would require the UPDATE privilege
    if head is None:
        if Seal.objects.exists():
            raise ChainBroken("The head of the chain is missing.")
        if anchor_file.read():
            raise ChainBroken("The database has no chain, but the anchor file knows of one: the chain was lost or removed.")
        head = Chain(secret=chain.new_key(), hash=chain.NO_SEAL, anchored_on=now.astimezone(UTC).date())
        return head, chain.key_of(head)
    key = chain.key_of(head)
    if not hmac.compare_digest(bytes(head.mac), chain.mac_of(head, key)):
        raise ChainBroken("The head of the chain differs from what the last sealing stored.")
    name = chain.id_of(key)
    if name not in _recorded and (
        flaw := anchor_file.find_contradiction(anchor_file.read(), chain_id=name, sequence=head.sequence)
    ):
        raise ChainBroken(
            f"The anchor file shows that the chain was {flaw}: it was restored from an older state, truncated or recreated."
        )
    return head, key


def _record_in_anchor_file(head: Chain, key: bytes, *, anchored: bool) -> None:
    """Once per process and after each anchor: appends what the anchor file misses, after this transaction has committed."""
    name = chain.id_of(key)
    if name in _recorded and not anchored:
        return
    sequence, seal_ = head.sequence, bytes(head.hash)

    def write() -> None:
        days = [(row.day, row.sequence, bytes(row.hash)) for row in Anchor.objects.order_by("day")]
        if anchor_file.append_missing(chain_id=name, sequence=sequence, seal=seal_, days=days):
            _recorded.add(name)

    transaction.on_commit(write, robust=True)


def _save(head: Chain) -> None:
    """Inserts the first head; a later one moves forward through the owner's function, because the application may not UPDATE."""
    if head._state.adding:
        head.save(force_insert=True)
        return
    sql.advance(head)


def _search_from(head: Chain, *, look_far: bool) -> datetime:
    if look_far and (sealed := sealed_until(head)):
        return sealed
    return head.reach - NEAR_WINDOW if head.reach else BEGINNING


def _seal_columns(head: Chain, key: bytes, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Returns the columns of the seals of these rows; the head moves forward."""
    sequence, before = head.sequence, bytes(head.hash)
    hashes, sealer = [], chain.Sealer(key)
    for row in rows:
        sequence += 1
        before = sealer.seal(before, sequence, row[1:])
        hashes.append(before)
    sequences = list(range(head.sequence + 1, sequence + 1))
    head.sequence, head.hash = sequence, before
    return [sequences, [row[1] for row in rows], [row[0] for row in rows], hashes]


def _anchor(head: Chain, now: datetime) -> bool:
    """Stores the state of the chain at the end of a day (UTC), in its table and in the log. The key is encrypted again under the
    ring's newest key.

    Returns whether there was a day to anchor.
    """
    today: date = now.astimezone(UTC).date()
    if head.anchored_on is None or head.anchored_on >= today:
        return False
    day, sequence, hash_ = today - timedelta(days=1), head.sequence, bytes(head.hash)
    Anchor.objects.create(day=day, sequence=sequence, hash=hash_)
    head.anchored_on, head.secret = today, keyring.encrypt(chain.key_of(head))
    transaction.on_commit(lambda: log.info("audit log anchored: day %s sequence %d seal %s", day, sequence, hash_.hex()))
    return True
