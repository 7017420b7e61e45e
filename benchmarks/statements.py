"""The SQL that HIMS really sends for a request: caught inside this process, timed on a connection of its own."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import psycopg
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.connection import AbstractConnection

from apps.common import prepared
from hims.launch.errors import CannotStart

_KINDS = (  # what the goals count apart, by a piece of the statement
    ("principal", "accounts_session"),
    ("audit", "INSERT INTO audit_"),
    ("outbox", "events_outbox"),
    ("idempotency", "rest_keptreply"),
    ("idempotency", "pg_try_advisory_xact_lock"),
    ("transaction", "SAVEPOINT"),
)


class Prepared(str):
    """A statement that HIMS has planned once a connection (`common.prepared`), and that is timed so."""

    __slots__ = ()


_send = AbstractConnection.send_packed_command


@dataclass(frozen=True)
class Answer:
    """A request's reply and its statements, values filled in."""

    data: Any
    sent: Sequence[str]
    round_trips: int  # to PostgreSQL, with BEGIN and COMMIT
    redis: int  # round trips

    @property
    def work(self) -> list[str]:
        """The statements that answer the question, without those that every request has."""
        return [text for text in self.sent if kind(text) == "work"]


def kind(text: str) -> str:
    """What a statement is for: `work`, or one of the kinds that are counted apart."""
    plain = text.replace('"', "")
    return next((name for name, piece in _KINDS if piece in plain), "work")


def capture(path: str, token: str, body: str = "", method: str = "", **headers: str) -> Answer:
    """Ask the API inside this process, and keep what it asks the database. With a body it is a POST, unless `method` is said."""
    client, known = Client(SERVER_NAME="127.0.0.1"), {"Authorization": f"Bearer {token}", **headers}
    with _watch() as sent, patch.object(AbstractConnection, "send_packed_command", autospec=True) as redis_send:
        redis_send.side_effect = _send
        with CaptureQueriesContext(connection) as log:
            reply = client.generic(method or ("POST" if body else "GET"), path, body, "application/json", headers=known)
    if reply.status_code not in (200, 201):
        raise CannotStart(f"{path} answered {reply.status_code}: {reply.content[:500]!r}")
    return Answer(reply.json(), sent, len(log), redis_send.call_count)


def capture_page(client: Client, path: str) -> list[str] | None:
    """Open a page of the desk as the client's user. Returns its statements; None where the page is not open to the user."""
    with _watch() as sent:
        reply = client.get(path)
    return sent if reply.status_code == HTTPStatus.OK else None


@contextmanager
def _watch() -> Iterator[list[str]]:
    """What is sent to the database within, values filled in."""
    sent: list[str] = []

    def catch(execute: Any, text: str, values: Any, many: bool, context: Any) -> Any:
        whole = connection.ops.compose_sql(text, values) if values else text  # type: ignore[attr-defined]  # a method of the PostgreSQL backend
        sent.append(Prepared(whole) if isinstance(context["cursor"].cursor, prepared.PreparingCursor) else whole)
        return execute(text, values, many, context)

    with connection.execute_wrapper(catch):
        yield sent


def audit_row(token: str) -> str:
    """Returns the statement that audits a read of the list, in a form that can be repeated."""
    text = next(text for text in capture("/v1/patients?page=1&limit=20", token).sent if kind(text) == "audit")
    return re.sub(r"'[0-9a-f]{8}-?[0-9a-f-]{24,27}'(::uuid)?", "gen_random_uuid()", text, count=1) + " RETURNING 'noted'"


def timed(database: psycopg.Connection, texts: Sequence[str]) -> float:
    """Milliseconds that the statements take one after another, planned anew each time as Django has it, but for the prepared."""
    began = time.perf_counter()
    for text in texts:
        database.execute(text, prepare=isinstance(text, Prepared)).fetchall()
    return (time.perf_counter() - began) * 1000
