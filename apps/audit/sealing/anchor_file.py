"""The beginning of the chain and its anchors outside the database: one JSON line each, in an append-only file.

A person who can write to the database can restore an earlier state, or remove the chain and have a new one created. The file and
the identical log lines reveal that. Ship the file to another machine, because a person who controls this one can change it.
`manage.py verify_audit --anchors FILE` compares the log with the copy.
"""

import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from apps.common import clock
from apps.common.errors import Conflict

log = logging.getLogger(__name__)


class RecordKind(StrEnum):
    BEGUN = "begun"  # the chain was created, or the file was started for an existing chain
    ANCHORED = "anchored"  # a day (UTC) has ended
    VERIFIED = "verified"  # the worker has verified the whole log up to this seal


class AnchorFileUnreadable(Conflict):
    message = "The anchor file (HIMS_AUDIT_ANCHOR_FILE) cannot be read. Give the server's user the right to read it."


@dataclass(frozen=True)
class AnchorRecord:
    """The state of the chain with that id: `seal` is the seal of position `sequence`, in hex."""

    kind: str
    chain: str
    sequence: int
    seal: str
    at: str
    day: str = ""


def read(path: Path | None = None) -> list[AnchorRecord]:
    """Returns every record of the file (default: HIMS_AUDIT_ANCHOR_FILE), none without a file. Raises AnchorFileUnreadable.

    A line that a full disk cut short is skipped with a warning.
    """
    try:
        lines = (path or Path(settings.HIMS_AUDIT_ANCHOR_FILE)).read_text().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise AnchorFileUnreadable from error
    return [record for line in lines if line.strip() and (record := _parsed(line))]


def find_contradiction(records: Iterable[AnchorRecord], *, chain_id: str, sequence: int) -> str:
    """Returns "replaced" if the records name another chain, "lost" if they name a longer one; otherwise the empty text."""
    listed = list(records)
    if any(record.chain != chain_id for record in listed):
        return "replaced"
    return "lost" if any(record.sequence > sequence for record in listed) else ""


def append_missing(*, chain_id: str, sequence: int, seal: bytes, days: Sequence[tuple[date, int, bytes]]) -> bool:
    """Writes the beginning of the chain and the anchors missing in the file. Returns False if it could not be written."""
    try:
        known = {(record.kind, record.day) for record in read() if record.chain == chain_id}
        missing = [] if (RecordKind.BEGUN, "") in known else [_record(RecordKind.BEGUN, chain_id, sequence, seal)]
        missing += [
            _record(RecordKind.ANCHORED, chain_id, at, hash_, day.isoformat())
            for day, at, hash_ in days
            if (RecordKind.ANCHORED, day.isoformat()) not in known
        ]
        append(missing)
    except (OSError, AnchorFileUnreadable) as error:
        log.error("the anchor file is not written: %s", error.__cause__ or error)
        return False
    return True


def append_verified(*, chain_id: str, sequence: int, seal: bytes) -> None:
    """Records that the whole log was verified up to that seal. A file that cannot be written is logged, and does not stop the
    verification."""
    try:
        append([_record(RecordKind.VERIFIED, chain_id, sequence, seal)])
    except OSError as error:
        log.error("the anchor file is not written: %s", error)


def append(records: Sequence[AnchorRecord]) -> None:
    """Appends lines, on disk on return; the log contains the same. Raises OSError."""
    if not records:
        return
    for record in records:
        if (
            record.kind != RecordKind.ANCHORED
        ):  # an anchor is logged when it is created (`sealing`), even if the file cannot be written
            log.info("audit chain %s: chain %s sequence %d seal %s", record.kind, record.chain, record.sequence, record.seal)
    path = Path(settings.HIMS_AUDIT_ANCHOR_FILE)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    torn = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    text = "\n" if torn else ""
    text += "".join(f"{json.dumps({name: value for name, value in asdict(record).items() if value})}\n" for record in records)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def archive() -> None:
    """Renames the file, so that the sandbox can start a new chain. No other code may do that."""
    path = Path(settings.HIMS_AUDIT_ANCHOR_FILE)
    if path.exists():
        path.rename(path.with_name(f"{path.name}.{clock.now().astimezone(UTC):%Y%m%dT%H%M%S%f}"))


def _record(kind: RecordKind, chain_id: str, sequence: int, seal: bytes, day: str = "") -> AnchorRecord:
    at = clock.now().astimezone(UTC)
    return AnchorRecord(str(kind), chain_id, sequence, seal.hex(), _instant(at), day)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _parsed(line: str) -> AnchorRecord | None:
    try:
        return AnchorRecord(**{"sequence": 0, **json.loads(line)})
    except (ValueError, TypeError):
        log.warning("a line of the anchor file cannot be read and is skipped: %.80s", line)
        return None
