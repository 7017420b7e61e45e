"""The embedded PostgreSQL: a cluster in the data folder, one database, a socket instead of a port."""

# ruff: noqa: S603 (every command here is our own, none comes from a request)

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from hims.launch import binaries, paths
from hims.launch.errors import CannotStart, require_disk_space
from hims.launch.owner import Owner, reachable
from hims.launch.processes import Program, Say

ROOM_FOR_A_CLUSTER = 150  # MB; a fresh one takes 40, and the first write-ahead log segments the rest
# For tests. Autovacuum would find tables whose rows were rolled back, and let the planner believe that they are always empty.
THROWAWAY = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "autovacuum=off")
# Plain English messages in every locale, because the launcher reads them.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}


@dataclass
class Postgres:
    """How to run the server; the data folder determines its paths."""

    data: Path
    owner: Owner
    durable: bool = True
    name: str = "postgres"
    title: str = "PostgreSQL"

    def prepare(self, say: Say) -> Program:
        """Finds the programs, creates the cluster if there is none, and returns how to start it."""
        postgres = binaries.find_postgres(made_by=self._made_by())
        cluster = self.data / f"postgres-{postgres.major}"
        bindir = reachable(postgres.folder / "postgres", self.data, self.owner).parent
        if not (cluster / "PG_VERSION").exists():
            say(f"making a PostgreSQL {postgres.major} cluster ({postgres.origin}) in {cluster}")
            self._make(cluster, bindir)
        _drop_a_stale_pid_file(cluster)
        return Program(
            name=self.name,
            command=[str(bindir / "postgres"), "-D", str(cluster), *self._settings()],
            log=str(paths.log(self.name)),
            stop_signal=signal.SIGINT,  # "fast": ends connections, writes a checkpoint
            uid=self.owner.uid,
            gid=self.owner.gid,
            env=ENVIRONMENT,
            # A killed server's memory block can linger for seconds, so that the next one is refused: ask again for ten.
            deaths=13,
            window=20.0,
            longest_pause=1.0,
        )

    def answers(self) -> bool:
        """Returns whether the server responds and has our database and the application's role; the first call creates them."""
        try:
            with self._connect("postgres") as connection:
                database = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [paths.DATABASE]).fetchone()
                if not database:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(paths.DATABASE)))
                role = paths.APPLICATION_ROLE
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
                return True
        except psycopg.OperationalError:
            return False

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(paths.socket_dir()),
            port=paths.POSTGRES_PORT,
            user=paths.OWNER_ROLE,
            dbname=database,
            connect_timeout=3,
            autocommit=True,
        )

    def _made_by(self) -> tuple[int, ...]:
        clusters = self.data.glob("postgres-*/PG_VERSION")
        return tuple(sorted((int(one.parent.name.partition("-")[2]) for one in clusters), reverse=True))

    def _make(self, cluster: Path, bindir: Path) -> None:
        """Creates the cluster under another name and renames it, so that the remains of a killed initdb never count as a
        cluster."""
        require_disk_space(self.data, ROOM_FOR_A_CLUSTER)
        unfinished = cluster.with_name(f"unfinished-{cluster.name}")
        if unfinished.exists():
            subprocess.run(["/bin/rm", "-rf", str(unfinished)], check=True)
        self.owner.folder(unfinished)
        result = self._initdb(bindir, unfinished, "C.UTF-8")
        if result.returncode and "invalid locale" in result.stdout:
            result = self._initdb(bindir, unfinished, "C")
        if result.returncode:
            raise CannotStart(f"PostgreSQL's initdb failed:\n{result.stdout[-2000:]}")
        unfinished.rename(cluster)

    def _initdb(self, bindir: Path, cluster: Path, locale: str) -> subprocess.CompletedProcess[str]:
        command = [str(bindir / "initdb"), "-D", str(cluster), "-U", paths.OWNER_ROLE, "-A", "trust", "-E", "UTF8"]
        command += [f"--locale={locale}", *([] if self.durable else ["--no-sync"])]
        return subprocess.run(
            command,
            cwd="/",
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self.owner.popen(),
        )

    def _settings(self) -> list[str]:
        chosen = {
            "listen_addresses": "",
            "port": str(paths.POSTGRES_PORT),
            "unix_socket_directories": str(paths.socket_dir()),
            "unix_socket_permissions": "0700",
            "shared_buffers": os.environ.get("HIMS_PG_SHARED_BUFFERS") or "256MB",
            "max_connections": "100",
            "jit": "off",  # costs more than it saves on short queries
            "max_parallel_workers_per_gather": "0",  # their /dev/shm is 64 MB in a container; requests share two cores anyway
            "random_page_cost": "1.1",
            # Values of rows, which are patients', never reach the log: no statements, no parameters, no DETAIL of a constraint.
            "log_statement": "none",
            "log_min_duration_statement": "-1",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        settings = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        return settings if self.durable else [*settings, *THROWAWAY]


def _drop_a_stale_pid_file(cluster: Path) -> None:
    """Removes a stale pid file. After a reboot another program can have its number, and PostgreSQL would refuse to start.

    The file of a server that has just died stays: PostgreSQL itself checks whether anything of that server is alive.
    """
    pid_file = cluster / "postmaster.pid"
    with suppress(OSError, ValueError):
        program = _program_of(int(pid_file.read_text().split("\n", 1)[0]))
        if program and "postgres" not in program:
            pid_file.unlink()


def _program_of(pid: int) -> str:
    """Returns the name of a running program; empty if there is no such process or its name is unknown."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    with suppress(OSError):
        result = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return result.stdout.strip()
    return ""
