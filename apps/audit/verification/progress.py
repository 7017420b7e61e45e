"""How far the worker has verified the log: the one row of VerificationProgress, under an HMAC with the chain's key."""

import hmac
import json
from datetime import datetime

from apps.audit.models import Chain, VerificationProgress
from apps.audit.sealing import chain
from apps.common import clock


def load(key: bytes) -> VerificationProgress | None:
    """The record; None where there is none, or where it was not written with the chain's key and must not be believed."""
    row = VerificationProgress.objects.first()
    if row is None or not hmac.compare_digest(bytes(row.mac), _mac_of(row, key)):
        return None
    return row


def begin(row: VerificationProgress | None) -> VerificationProgress:
    """A new pass, from the chain's beginning. What an earlier one found right stays trusted, what it found wrong stays told."""
    started = row or VerificationProgress(trusted=0, trusted_hash=chain.NO_SEAL)
    started.sequence, started.hash, started.is_whole, started.started_at = 0, chain.NO_SEAL, False, clock.now()
    return started


def save(row: VerificationProgress, key: bytes) -> None:
    """Keep it."""
    row.mac = _mac_of(row, key)
    if row._state.adding:
        VerificationProgress.objects.all().delete()  # one that is not to be believed
    row.save()


def finished_at() -> datetime | None:
    """When the whole log was last found right; None where it never was, or the record is not to be believed."""
    head = Chain.objects.first()
    row = load(chain.key_of(head)) if head else None
    return row.finished_at if row else None


def _mac_of(row: VerificationProgress, key: bytes) -> bytes:
    times = [None if at is None else chain.microseconds(at) for at in (row.started_at, row.finished_at)]
    places = [row.sequence, bytes(row.hash).hex(), row.trusted, bytes(row.trusted_hash).hex()]
    covered = [*places, *times, row.is_whole, row.broken]
    return hmac.digest(key, b"verified" + json.dumps(covered, sort_keys=True).encode(), "sha256")
