"""The worker verifies the whole log, a step at a time, so that no step occupies a worker or a snapshot for long.

A pass starts at the beginning of the chain once in HIMS_AUDIT_VERIFY and continues where the last step ended, also after a
restart. Between two passes the steps follow the chain, so that little is left for a request to verify.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.access.actor import SYSTEM
from apps.audit import services
from apps.audit.models import AuditEvent, VerificationProgress
from apps.audit.sealing import anchor_file, chain
from apps.audit.sealing.anchor_file import AnchorRecord
from apps.audit.verification import progress
from apps.audit.verification.verifier import BrokenRow, ChainWalk, OpenedChain, broken_row_from, check_unsealed_rows, open_chain
from apps.common import clock, locks
from apps.common.locks import LockName
from apps.common.sql import set_local

log = logging.getLogger(__name__)

STEP = 100_000  # seals; a second or so


@dataclass(frozen=True)
class VerificationStep:
    """The progress of the pass: `verified` seals of `total`; `is_done` once it has reached the end, or a flaw."""

    verified: int
    total: int
    is_done: bool
    unsealed: int = 0
    broken: BrokenRow | None = None


@transaction.atomic
def step(*, limit: int = STEP, restart: bool = False, records: list[AnchorRecord] | None = None) -> VerificationStep | None:
    """Verifies the next `limit` seals. Returns None if another step is running. Raises KeyUnreadable, AnchorFileUnreadable.

    `restart` starts a pass now; otherwise one starts when it is due. `records` are those of the anchor file, or of a copy.
    """
    if not locks.try_lock(LockName.AUDIT_VERIFICATION):
        return None
    set_local("statement_timeout", "0")
    opened = open_chain(anchor_file.read() if records is None else records)
    if opened.head is None:
        unsealed, inserted = check_unsealed_rows()
        return VerificationStep(0, 0, is_done=True, unsealed=unsealed, broken=opened.broken or inserted)
    state = progress.load(opened.key)
    if state is None or restart or (state.is_whole and clock.now() >= state.started_at + settings.HIMS_AUDIT_VERIFY):
        state = progress.begin(state)
    elif state.is_whole and state.broken:
        return VerificationStep(state.sequence, opened.head.sequence, is_done=True, broken=broken_row_from(state.broken))
    return _walk(opened, state, limit)


def verify_next() -> int:
    """Verifies the next part of the whole log. Returns how many seals the current pass has verified.

    Returns 0 if another step is running. Raises what `step` raises.
    """
    done = step()
    return done.verified if done else 0


def _walk(opened: OpenedChain, state: VerificationProgress, limit: int) -> VerificationStep:
    assert opened.head is not None
    in_pass, broken, unsealed = not state.is_whole, opened.broken, 0
    at_end = False
    if not broken:
        walk = ChainWalk(opened, (state.sequence, bytes(state.hash)), limit=limit)
        broken = walk.run(lambda _checked, _total: None)
        state.sequence, state.hash, at_end = walk.place, walk.before, walk.is_at_end
        if state.sequence > state.trusted:
            state.trusted, state.trusted_hash = state.sequence, state.hash
    if at_end and in_pass and not broken:
        unsealed, broken = check_unsealed_rows()
    if broken:
        state.is_whole, state.broken = True, _as_json(broken)
        log.error("the audit log differs from its seals: %s", broken)
    elif at_end and in_pass:
        state.is_whole, state.broken, state.finished_at = True, None, clock.now()
    if in_pass and state.is_whole:
        _record_result(opened.key, state, unsealed)
    progress.save(state, opened.key)
    if in_pass or broken:
        log.info("audit log verified: %d of %d seals", state.sequence, opened.head.sequence)
    return VerificationStep(
        state.sequence, opened.head.sequence, is_done=at_end or bool(broken), unsealed=unsealed, broken=broken
    )


def _record_result(key: bytes, state: VerificationProgress, unsealed: int) -> None:
    """Ends a pass: writes an audit row, and without a flaw a line of the anchor file."""
    outcome = AuditEvent.Outcome.FAILURE if state.broken else AuditEvent.Outcome.SUCCESS
    about: dict[str, Any] = {"intact": not state.broken, "checked": state.sequence, "unsealed": unsealed, "whole": True}
    services.record(by=SYSTEM, action="trail.verified", outcome=outcome, **about)
    if state.broken or not state.sequence:
        return
    name, sequence, seal = chain.id_of(key), state.sequence, bytes(state.hash)
    transaction.on_commit(lambda: anchor_file.append_verified(chain_id=name, sequence=sequence, seal=seal), robust=True)


def _as_json(broken: BrokenRow) -> dict[str, Any]:
    """Returns the flaw as JSON."""
    return {
        "flaw": broken.flaw.value,
        "id": broken.id and str(broken.id),
        "at": broken.at and broken.at.isoformat(),
        "sequence": broken.sequence,
    }
