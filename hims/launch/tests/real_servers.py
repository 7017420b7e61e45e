"""What the tests of this folder do with real servers and processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from hims.launch import locks, paths

USE_THE_SERVERS = """
import sys
from hims.launch import embedded
with embedded.servers(durable=False):
    print("up", flush=True)
    sys.stdin.readline()
print("left", flush=True)
"""


def query(sql: str) -> list:
    connection = psycopg.connect(host=str(paths.socket_dir()), user="hims", dbname="hims", connect_timeout=3, autocommit=True)
    with connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def redis(command: str) -> str:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(paths.redis_socket()))
        line.sendall(f"{command}\r\n".encode())
        return line.recv(1000).decode()


def serving() -> bool:
    """Whether a keeper or a server of the data folder lives."""
    names = ("postgres.keeper", "postgres.server", "redis.keeper", "redis.server")
    return any(paths.lock(name).exists() and not locks.is_free(paths.lock(name)) for name in names)


def eventually(true: Callable[[], object], *, within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        with suppress(psycopg.OperationalError, OSError):
            if true():
                return True
        time.sleep(0.05)
    return False


def user(**popen: object) -> subprocess.Popen:
    """Another process that uses the servers until it reads a line or is killed."""
    process = start("-c", USE_THE_SERVERS, **popen)
    assert process.stdout.readline() == "up\n", process.communicate()
    return process


def hear_ctrl_c() -> None:
    """Whatever started the tests (a shell's `&`, say) may have had them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments: str, **popen: object) -> subprocess.Popen:
    popen.setdefault("preexec_fn", hear_ctrl_c)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *arguments], cwd=paths.PROJECT, **pipes, **popen)


def postmaster(data: Path) -> int:
    pid_file = next(data.glob("postgres-*/postmaster.pid"))
    return int(pid_file.read_text().split()[0])


def kill_all_of(data: Path) -> None:
    """kill -9 of every process whose environment names the data folder, and of the servers."""
    marks = (f"HIMS_DATA_DIR={data}".encode(), f"{data}/".encode())
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            about = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            if any(mark in about for mark in marks):
                os.kill(int(entry.name), signal.SIGKILL)
