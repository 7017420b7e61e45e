"""The databases of the benchmark: one for each size, side by side in the embedded PostgreSQL."""

import os
import subprocess
import sys
from urllib.parse import quote

import psycopg
from psycopg import sql

from hims.launch import paths
from hims.launch.errors import CannotStart

SCRATCH = "bench_scratch"


def name(rows: int) -> str:
    return f"bench_{rows}"


def address(database: str) -> str:
    """As psycopg reads it."""
    return f"host={paths.socket_dir()} port={paths.POSTGRES_PORT} user={paths.DATABASE} dbname={database}"


def url(database: str) -> str:
    """As DATABASE_URL."""
    return f"postgres://{paths.DATABASE}@/{database}?host={quote(str(paths.socket_dir()), safe='')}"


def environment(database: str) -> dict[str, str]:
    """Of a process that works in this database."""
    return os.environ | {"DATABASE_URL": url(database)}


def exists(database: str) -> bool:
    with psycopg.connect(address("postgres")) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


def make_anew(database: str) -> None:
    """An empty database, whatever stood there."""
    drop(database)
    with psycopg.connect(address("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def drop(database: str) -> None:
    with psycopg.connect(address("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def run(database: str, *arguments: str) -> None:
    """A Python program of HIMS in this database. Raises CannotStart with what it said."""
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603
        command,
        cwd=paths.PROJECT,
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotStart(f"{' '.join(arguments)} failed:\n{done.stdout[-2000:]}")
