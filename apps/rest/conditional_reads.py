"""The audit rows of conditional reads: a program that asks every second whether a record has changed does not read it each time.

A 304 shows nothing and counts against no limit. Its audit row is written at most once in ten minutes for each caller, session and
record. Without Redis every one is written.
"""

from hashlib import blake2b
from typing import Any
from uuid import UUID

from apps.common import redis_client
from apps.rest import audit_log

RECORD_INTERVAL = 600  # seconds


def record_not_modified(
    by: Any, action: str, *, patient_id: UUID | None, object_id: UUID | None, who: str, **detail: Any
) -> None:
    """Audits a 304 reply, unless the last such row is recent."""
    about = f"{who}:{getattr(by, 'session_id', '')}:{action}:{patient_id}:{object_id}"
    key = f"hims:unchanged:{blake2b(about.encode(), digest_size=16).hexdigest()}"
    try:
        if redis_client.run(lambda client: client.exists(key)):
            return
    except redis_client.RedisUnavailable:
        key = ""
    audit_log.record(by=by, action=action, patient_id=patient_id, object_id=object_id, not_modified=True, **detail)
    try:
        if key:
            redis_client.run(lambda client: client.set(key, 1, ex=RECORD_INTERVAL))
    except redis_client.RedisUnavailable:
        return
