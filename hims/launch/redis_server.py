"""The embedded Redis (or Valkey): the Celery broker and the rate limits, on a socket, written to disk every second."""

import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from hims.launch import binaries, paths
from hims.launch.owner import Owner, reachable
from hims.launch.processes import Program, Say


@dataclass
class Redis:
    """How to run the server; the data folder determines its paths."""

    data: Path
    owner: Owner
    durable: bool = True
    name: str = "redis"
    title: str = "Redis"

    def prepare(self, say: Say) -> Program:
        """Finds the program and returns how to start it."""
        redis = binaries.find_redis()
        program = reachable(redis.program, self.data, self.owner)
        # An older server cannot read the files of a newer one: each kind and version has its own folder.
        folder = self.data / f"{redis.kind.lower()}-{redis.major}"
        if not folder.exists():
            say(f"{redis.kind} {redis.major} ({redis.origin}) keeps its queue in {folder}")
        self.owner.folder(folder)
        return Program(
            name=self.name,
            command=[str(program), *self._settings(folder)],
            log=str(paths.log(self.name)),
            stop_signal=signal.SIGTERM,
            uid=self.owner.uid,
            gid=self.owner.gid,
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
            deaths=8,
            window=20.0,
            longest_pause=1.0,
        )

    def answers(self) -> bool:
        """Returns whether it responds and has read its file."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(2)
                line.connect(str(paths.redis_socket()))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _settings(self, folder: Path) -> list[str]:
        durable = "yes" if self.durable else "no"
        settings = {
            "port": "0",
            "unixsocket": str(paths.redis_socket()),
            "unixsocketperm": "700",
            "dir": str(folder),
            "save": "",
            "appendonly": durable,
            "appendfsync": "everysec",
            "daemonize": "no",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]
