"""The paths of an installation. Pure, without side effects.

The data folder may be deep, but a Unix socket's path may not be longer than 107 bytes. Sockets therefore are in a short folder
named after the data folder.
"""

import hashlib
import os
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
DATABASE = "hims"
OWNER_ROLE = "hims"  # of the embedded server: migrates and owns the tables
APPLICATION_ROLE = "hims_app"  # of the embedded server: what web server, worker and beat connect as
POSTGRES_PORT = 5432  # only names the socket file; nothing listens on TCP


def data_dir() -> Path:
    """HIMS_DATA_DIR, by default `.hims` in the project folder, for tests `.hims-test`."""
    default = ".hims-test" if os.environ.get("HIMS_ENV") == "test" else ".hims"
    return Path(os.environ.get("HIMS_DATA_DIR") or home(default)).expanduser().resolve()


def home(name: str) -> Path:
    """The project's folder of that name; below /var/lib where the project is closed to the servers' user.

    PostgreSQL refuses to run as root, so root starts it as another user, who cannot enter a checkout below /root (mode 0700).
    """
    if os.geteuid() == 0 and not open_to_all(PROJECT):
        return Path("/var/lib") / f"hims-{_mark(PROJECT)}" / name
    return PROJECT / name


def open_to_all(folder: Path) -> bool:
    """Whether every user may pass through the folder and all above it."""
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents) if place.exists())


def socket_dir() -> Path:
    """The folder of the PostgreSQL and Redis sockets that belong to the data folder."""
    # Not TMPDIR: two shells with different ones must meet at the same sockets.
    short = Path("/tmp")  # noqa: S108 (made with mode 0700, and its owner is checked)
    return (short if short.is_dir() else Path(tempfile.gettempdir())) / f"hims-{_mark(data_dir())}"


def redis_socket() -> Path:
    """The socket of the embedded Redis."""
    return socket_dir() / "redis.sock"


def log(name: str) -> Path:
    """The log of a server or a process."""
    return data_dir() / "logs" / f"{name}.log"


def lock(name: str) -> Path:
    """A lock file of the data folder."""
    return data_dir() / "locks" / name


def _mark(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:10]
