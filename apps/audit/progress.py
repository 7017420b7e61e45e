"""How far the worker has verified the log: the one row of VerificationProgress, under an HMAC with the chain's key."""

import hmac
import json
from datetime import datetime

from apps.audit import chain
from apps.audit.models import Chain, VerificationProgress
from apps.common import clock


def load(key: bytes) -> VerificationProgress | None:
    """The record; None where there is none, or where it was not written with the chain's key and must not be believed."""
    known = VerificationProgress.objects.first()
    if known is None or not hmac.compare_digest(bytes(known.mac), _mac_of(known, key)):
        return None
    return known


def begin(known: VerificationProgress | None) -> VerificationProgress:
    """A new pass, from the chain's beginning. What an earlier one found right stays trusted, what it found wrong stays told."""
    fresh = known or VerificationProgress(trusted=0, trusted_hash=chain.NOTHING)
    fresh.sequence, fresh.hash, fresh.is_whole, fresh.started_at = 0, chain.NOTHING, False, clock.now()
    return fresh


def save(known: VerificationProgress, key: bytes) -> None:
    """Keep it."""
    known.mac = _mac_of(known, key)
    if known._state.adding:
        VerificationProgress.objects.all().delete()  # one that is not to be believed
    known.save()


def finished_at() -> datetime | None:
    """When the whole log was last found right; None where it never was, or the record is not to be believed."""
    head = Chain.objects.first()
    known = load(chain.key_of(head)) if head else None
    return known.finished_at if known else None


def _mac_of(known: VerificationProgress, key: bytes) -> bytes:
    times = [None if at is None else chain.microseconds(at) for at in (known.started_at, known.finished_at)]
    places = [known.sequence, bytes(known.hash).hex(), known.trusted, bytes(known.trusted_hash).hex()]
    told = [*places, *times, known.is_whole, known.broken]
    return hmac.digest(key, b"verified" + json.dumps(told, sort_keys=True).encode(), "sha256")
