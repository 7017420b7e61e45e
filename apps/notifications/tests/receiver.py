"""A real mail server for tests: what it took, and the odd ways it can behave."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Receiver:
    """`answer` is what the server says to a mail's content; `taken` what it said yes to."""

    answer: str = "250 OK"
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return self.answer


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


@contextmanager
def open_at(port: int, receiver: Receiver, *, smtputf8: bool = True) -> Iterator[Receiver]:
    """The server, for the length of a test, with or without RFC 6531."""
    controller = Controller(receiver, hostname="127.0.0.1", port=port, enable_SMTPUTF8=smtputf8)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()


class SilentMailServer:
    """Takes connections and says nothing."""

    def __init__(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        self.port: int = listening.getsockname()[1]
        self._listening = listening
        self._lines: list[socket.socket] = []

    def connections(self) -> int:
        """How many connections there were so far."""
        with suppress(BlockingIOError):
            while True:
                self._lines.append(self._listening.accept()[0])
        return len(self._lines)

    def close(self) -> None:
        for line in self._lines:
            line.close()


@contextmanager
def silent_mail_server() -> Iterator[SilentMailServer]:
    """A mail server that never answers, for the length of a test."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        server = SilentMailServer(listening)
        try:
            yield server
        finally:
            server.close()
