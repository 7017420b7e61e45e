"""Why HIMS could not start or continue, as messages for the user at the terminal."""

import errno
import shutil
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
ALMOST_FULL = 20 * 1024 * 1024


class CannotStart(Exception):
    """Its text is the whole message: what is wrong and what to do. Never shown with a traceback."""


def mebibytes_free(folder: Path) -> int:
    """Returns the free space of the disk of `folder`, which need not exist yet."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free // 1024**2


def require_disk_space(folder: Path, mebibytes: int) -> None:
    """Refuses to start what would fail half-way for lack of space."""
    free = mebibytes_free(folder)
    if free < mebibytes:
        raise CannotStart(
            f"The disk is full: {free} MB are free for {folder}, at least {mebibytes} MB are needed. "
            "Free some space there, or set HIMS_DATA_DIR to a folder on another disk."
        )


def last_lines(log: Path, count: int = 12) -> str:
    """Returns the end of a log, indented, for a message."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines)


def failure(what: str, log: Path) -> CannotStart:
    """Returns the error with what failed, a full disk as its reason, and the end of its log."""
    tail = last_lines(log)
    full = "No space left on device" in tail or mebibytes_free(log.parent) * 1024**2 < ALMOST_FULL
    why = f" The disk is full: free some space for {log.parent.parent} and start again." if full else ""
    return CannotStart(f"{what}{why}\nThe end of {log}:\n{tail or '    (empty)'}")


def as_message(error: OSError, folder: Path) -> CannotStart:
    """Returns an operating system error as a message."""
    if error.errno in NO_ROOM:
        return CannotStart(f"The disk is full ({error.filename or folder}). Free some space, or set HIMS_DATA_DIR elsewhere.")
    if isinstance(error, PermissionError):
        return CannotStart(
            f"{error.filename or folder} belongs to another user, who perhaps started HIMS here before. "
            "Start as that user, or set HIMS_DATA_DIR to a folder of your own."
        )
    return CannotStart(f"The operating system refused: {error}")
