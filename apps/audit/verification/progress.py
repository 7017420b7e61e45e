"""The progress of the worker's verification: the one row of VerificationProgress, under an HMAC with the chain's key."""

import hmac
import json
from datetime import datetime

from apps.audit.models import Chain, VerificationProgress
from apps.audit.sealing import chain
from apps.common import clock


def load(key: bytes) -> VerificationProgress | None:
    """Returns the record; None if there is none, or if it was not written with the chain's key and cannot be trusted."""
    row = VerificationProgress.objects.first()
    if row is None or not hmac.compare_digest(bytes(row.mac), _mac_of(row, key)):
        return None
    return row


def begin(row: VerificationProgress | None) -> VerificationProgress:
    """Starts a new pass, from the beginning of the chain. What an earlier pass verified stays trusted, and its flaw stays
    reported."""
    started = row or VerificationProgress(trusted=0, trusted_hash=chain.NO_SEAL)
    started.sequence, started.hash, started.is_whole, started.started_at = 0, chain.NO_SEAL, False, clock.now()
    return started


def save(row: VerificationProgress, key: bytes) -> None:
    """Saves the record."""
    row.mac = _mac_of(row, key)
    if row._state.adding:
        VerificationProgress.objects.all().delete()  # one that cannot be trusted
    row.save()


def finished_at() -> datetime | None:
    """Returns when the whole log was last intact; None if it never was, or the record cannot be trusted."""
    head = Chain.objects.first()
    row = load(chain.key_of(head)) if head else None
    return row.finished_at if row else None


def _mac_of(row: VerificationProgress, key: bytes) -> bytes:
    times = [None if at is None else chain.microseconds(at) for at in (row.started_at, row.finished_at)]
    places = [row.sequence, bytes(row.hash).hex(), row.trusted, bytes(row.trusted_hash).hex()]
    covered = [*places, *times, row.is_whole, row.broken]
    return hmac.digest(key, b"verified" + json.dumps(covered, sort_keys=True).encode(), "sha256")
