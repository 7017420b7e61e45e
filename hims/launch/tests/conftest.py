"""A data folder of its own for every test, in a place that every user may enter."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hims.launch import embedded, paths

MEMORY = Path("/dev/shm")
# A cluster is a thousand files: in memory, where there is room, a copy takes a tenth of the time.
SHELF = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 1024**3 else None


@pytest.fixture(scope="session")
def cluster():
    """A fresh PostgreSQL cluster to copy, because making one takes seconds. The environment is left unchanged for later tests."""
    with tempfile.TemporaryDirectory(prefix="hims-launch-", dir=SHELF) as folder:
        Path(folder).chmod(0o755)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HIMS_DATA_DIR", folder)
            patch.setenv("HIMS_ENV", "test")
            patch.delenv("DATABASE_URL", raising=False)
            sockets = paths.socket_dir()
            with embedded.servers(durable=False):
                pass
        yield next(Path(folder).glob("postgres-*"))
        shutil.rmtree(sockets)


@pytest.fixture
def data(monkeypatch, cluster):
    folder = Path(tempfile.mkdtemp(prefix="hims-launch-", dir=SHELF))
    folder.chmod(0o755)
    subprocess.run(["cp", "-a", cluster, folder], check=True)
    monkeypatch.setenv("HIMS_DATA_DIR", str(folder))
    monkeypatch.setenv("HIMS_ENV", "test")
    monkeypatch.setenv("HIMS_PG_SHARED_BUFFERS", "16MB")
    for variable in ("DATABASE_URL", "REDIS_URL", "HIMS_PG_BINDIR", "HIMS_PORT", "MAKELEVEL"):
        monkeypatch.delenv(variable, raising=False)
    sockets = paths.socket_dir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
