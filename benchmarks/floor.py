"""The floor: the same server program, one WSGI function, one prepared statement, one persistent connection a worker. No Django.

`FLOOR_STATEMENTS` names a JSON file {"address": …, "hash": …, "values": {…}, "statements": {name: SQL}}. `/name?a=1&b=2` runs
that statement with the values of the query string in their order and returns the text it yields. The statements of `effects` take
their values by name, with those of the file and a `new_id`; a list of them is one transaction. `/hello` answers at once; `/login`
checks a password.
"""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import psycopg
from argon2 import PasswordHasher

_known = json.loads(Path(os.environ["FLOOR_STATEMENTS"]).read_text())
_statements: dict[str, Any] = _known["statements"]
_connections: list[psycopg.Connection] = []
_hasher = PasswordHasher()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    name = environ["PATH_INFO"][1:]
    body = _ANSWERS[name](environ) if name in _ANSWERS else _read(name, environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _hello(_: dict[str, Any]) -> bytes:
    return b'{"hello": "world"}'


def _login(environ: dict[str, Any]) -> bytes:
    """What no sign-in can spare: the hash, with the parameters that HIMS has."""
    _hasher.verify(_known["hash"], environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    return b'{"success": true}'


def _read(name: str, query: str) -> bytes:
    known, sent = _statements[name], parse_qsl(query)
    if isinstance(known, list):
        with _connection().transaction():
            values = _by_name(sent)  # one new_id for all of them
            return [_text(statement, values) for statement in known][-1].encode()
    return _text(known, _by_name(sent) if "%(" in known else [value for _, value in sent]).encode()


def _by_name(sent: list[tuple[str, str]]) -> dict[str, str]:
    named = {f"v{number}" if name == "v" else name: value for number, (name, value) in enumerate(sent)}
    return {**_known["values"], **named, "new_id": str(uuid4())}


def _text(statement: str, values: Any) -> str:
    row = _connection().execute(statement, values, prepare=True).fetchone()
    return str(row[0]) if row else ""


def _connection() -> psycopg.Connection:
    """The worker's own; opened by its first request, since the server forks before."""
    if not _connections:
        _connections.append(psycopg.connect(_known["address"], autocommit=True))
    return _connections[0]


_ANSWERS = {"hello": _hello, "login": _login}
