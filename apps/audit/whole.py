"""The worker verifies the whole log, a step at a time, so that no step holds a worker or a snapshot for long.

A pass begins at the chain's beginning once in HIMS_AUDIT_VERIFY and goes on where the last step ended, also after a restart.
Between two passes the steps follow the chain, so that what a request has left to verify is little.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from apps.access.actor import SYSTEM
from apps.audit import anchor_file, chain, progress, services
from apps.audit.anchor_file import Record
from apps.audit.models import AuditEvent, VerificationProgress
from apps.audit.verification import Broken, Opened, Walk, as_broken, beside, open_chain
from apps.common import clock

log = logging.getLogger(__name__)

STEP = 100_000  # seals; a second or so
_LOCK = 0x5EA1_ED04  # any number, but always this one: one step at a time


@dataclass(frozen=True)
class Step:
    """Where the pass stands: `verified` seals of `total`; `is_done` once it has come to the end, or to a flaw."""

    verified: int
    total: int
    is_done: bool
    unsealed: int = 0
    broken: Broken | None = None


@transaction.atomic
def step(*, most: int = STEP, anew: bool = False, records: list[Record] | None = None) -> Step | None:
    """Verify the next `most` seals. Returns None where another step is under way. Raises KeyUnreadable, AnchorFileUnreadable.

    `anew` begins a pass now; else one begins when its time has come. `records` are those of the anchor file, or of a copy.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s), set_config('statement_timeout', '0', true)", [_LOCK])
        if not cursor.fetchone()[0]:
            return None
    opened = open_chain(anchor_file.read() if records is None else records)
    if opened.head is None:
        unsealed, inserted = beside()
        return Step(0, 0, is_done=True, unsealed=unsealed, broken=opened.broken or inserted)
    known = progress.load(opened.key)
    if known is None or anew or (known.is_whole and clock.now() >= known.started_at + settings.HIMS_AUDIT_VERIFY):
        known = progress.begin(known)
    elif known.is_whole and known.broken:
        return Step(known.sequence, opened.head.sequence, is_done=True, broken=as_broken(known.broken))
    return _walk(opened, known, most)


def _walk(opened: Opened, known: VerificationProgress, most: int) -> Step:
    assert opened.head is not None
    in_pass, broken, unsealed = not known.is_whole, opened.broken, 0
    at_end = False
    if not broken:
        walk = Walk(opened, (known.sequence, bytes(known.hash)), most=most)
        broken = walk.to_the_end(lambda _checked, _total: None)
        known.sequence, known.hash, at_end = walk.place, walk.before, walk.is_at_end
        if known.sequence > known.trusted:
            known.trusted, known.trusted_hash = known.sequence, known.hash
    if at_end and in_pass and not broken:
        unsealed, broken = beside()
    if broken:
        known.is_whole, known.broken = True, _plain(broken)
        log.error("the trail is not as it was sealed: %s", broken)
    elif at_end and in_pass:
        known.is_whole, known.broken, known.finished_at = True, None, clock.now()
    if in_pass and known.is_whole:
        _record_end(opened.key, known, unsealed)
    progress.save(known, opened.key)
    if in_pass or broken:
        log.info("audit log verified: %d of %d seals", known.sequence, opened.head.sequence)
    return Step(known.sequence, opened.head.sequence, is_done=at_end or bool(broken), unsealed=unsealed, broken=broken)


def _record_end(key: bytes, known: VerificationProgress, unsealed: int) -> None:
    """A pass has ended: an audit row, and where nothing was wrong a line of the anchor file."""
    outcome = AuditEvent.Outcome.FAILURE if known.broken else AuditEvent.Outcome.SUCCESS
    about: dict[str, Any] = {"intact": not known.broken, "checked": known.sequence, "unsealed": unsealed, "whole": True}
    services.note(by=SYSTEM, action="trail.verified", outcome=outcome, **about)
    if known.broken or not known.sequence:
        return
    name, sequence, seal = chain.id_of(key), known.sequence, bytes(known.hash)
    transaction.on_commit(lambda: anchor_file.verified(chain_id=name, sequence=sequence, seal=seal), robust=True)


def _plain(broken: Broken) -> dict[str, Any]:
    """The flaw as JSON."""
    return {
        "flaw": broken.flaw.value,
        "id": broken.id and str(broken.id),
        "at": broken.at and broken.at.isoformat(),
        "sequence": broken.sequence,
    }
