"""The user that runs the embedded servers, and the folders created for them.

PostgreSQL refuses to run as root. Root therefore starts the servers as the system's `postgres` user, or as the unprivileged user
of the system.
"""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims.launch import paths
from hims.launch.errors import CannotStart

ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Owner:
    """The servers' user and group; None if they run as the current user."""

    uid: int | None = None
    gid: int | None = None

    def popen(self) -> dict[str, Any]:
        """Returns the arguments of subprocess.run that make a command run as the owner."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def folder(self, path: Path) -> Path:
        """Creates a folder that only the owner can enter. Raises PermissionError if another user created it before."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take(path)
        return path

    def _take(self, path: Path) -> None:
        status = path.lstat()
        mine = os.geteuid()
        wanted = mine if self.uid is None else self.uid
        if path.is_symlink() or status.st_uid not in (mine, wanted):
            raise PermissionError(1, "belongs to another user", str(path))
        if status.st_uid != wanted:
            os.chown(path, wanted, -1 if self.gid is None else self.gid)
        path.chmod(0o700)


def of_the_data(data: Path) -> Owner:
    """Returns the user that runs the servers of this data folder: for root, the owner of its first cluster, else the first
    account."""
    if os.geteuid() != 0:
        return Owner()
    for cluster in sorted(data.glob("postgres-*")):
        made = cluster.stat()
        if made.st_uid != 0:
            return Owner(made.st_uid, made.st_gid)
    for name in ACCOUNTS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(account.pw_uid, account.pw_gid)
    raise CannotStart(
        "PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody` to run it as. "
        "Start HIMS as an ordinary user, or name a running server in DATABASE_URL."
    )


def prepare_data_dir() -> Path:
    """Creates the data folder. Raises CannotStart if root's servers could not enter it."""
    data = paths.data_dir()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("logs", "locks"):
        (data / name).mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        _open_for_the_servers(data)
    return data


def _open_for_the_servers(data: Path) -> None:
    data.chmod(0o711)
    if not paths.open_to_all(data):
        raise CannotStart(
            f"Root starts PostgreSQL as another user, who cannot enter {data}: a folder above it is closed to "
            "others. Set HIMS_DATA_DIR to a folder that every user can reach, for example "
            "HIMS_DATA_DIR=/var/lib/hims."
        )


def reachable(program: Path, data: Path, owner: Owner) -> Path:
    """Returns the program, or a copy of its tree in the data folder if the servers' user cannot reach the original.

    Only root can enter a virtual environment below /root.
    """
    if owner.uid is None or (paths.open_to_all(program.parent) and program.stat().st_mode & 0o005 == 0o005):
        return program
    package = next((place for place in program.parents if place.parent.name == "site-packages"), program.parent)
    copies = data / "programs"
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(
                part, copies / part.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__")
            )
    _give(copies, owner)
    return copies / program.relative_to(package.parent)


def _give(tree: Path, owner: Owner) -> None:
    assert owner.uid is not None
    assert owner.gid is not None
    for place in (tree, *tree.rglob("*")):
        os.chown(place, owner.uid, owner.gid, follow_symlinks=False)
