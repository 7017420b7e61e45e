"""Request bodies, read beside the web thread: all of a body within a deadline and a size limit, or a refusal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from apps.common.errors import LARGEST_BODY, HimsError, PayloadTooLarge, RequestTimeout, Unavailable

SECONDS = 10.0  # from the headers to the end of the body
LINGER_SECONDS = 5.0  # that a client may go on sending after the refusal
MOST_HELD = 64 * 1024 * 1024  # bytes of unfinished bodies in one worker

Deliver = Callable[[bytes, type[HimsError] | None], None]


class ClientGone(Exception):
    """The client closed the connection before the body was complete."""


def is_expected(headers: Any) -> bool:
    """Return True if a request with these headers has a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class Bodies:
    """The bodies that arrive at one worker. Runs in the thread of the worker's event loop."""

    def __init__(self) -> None:
        self.held = 0
        self.tasks: set[asyncio.Task] = set()

    def start(self, headers: Any, proto: Any, deliver: Deliver) -> None:
        """Read a body and deliver it, or the refusal that it earned."""
        task = asyncio.get_running_loop().create_task(self._read_and_deliver(headers, proto, deliver))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _read_and_deliver(self, headers: Any, proto: Any, deliver: Deliver) -> None:
        declared = _declared_length(headers)
        body = bytearray()
        chunks = _chunks(proto)
        with suppress(ClientGone):
            try:
                async with asyncio.timeout(SECONDS):
                    await self._read(chunks, declared, body)
            except TimeoutError:
                deliver(b"", RequestTimeout)
            except (PayloadTooLarge, Unavailable) as refusal:
                deliver(b"", type(refusal))
                await _discard(chunks)
            else:
                deliver(bytes(body), None)
            finally:
                self.held -= len(body)

    async def _read(self, chunks: AsyncIterator[bytes], declared: int | None, body: bytearray) -> None:
        if declared is not None and declared > LARGEST_BODY:
            raise PayloadTooLarge
        async for chunk in chunks:
            body += chunk
            self.held += len(chunk)
            if len(body) > LARGEST_BODY:
                raise PayloadTooLarge
            if self.held > MOST_HELD:
                raise Unavailable
            if len(body) == declared:
                return
        if declared is not None:
            raise ClientGone


async def _chunks(proto: Any) -> AsyncIterator[bytes]:
    """What arrives of the body. granian lets it be read once; this can be read in two goes."""
    async for chunk in proto:
        yield chunk


async def _discard(chunks: AsyncIterator[bytes]) -> None:
    """Read on and forget: a connection that is closed on a client in mid-sentence is reset, and the reply is lost with it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            async for _chunk in chunks:
                pass


def _declared_length(headers: Any) -> int | None:
    """The Content-Length; None for a body in chunks. The server has refused what is no number."""
    return None if "transfer-encoding" in headers else int(headers.get("content-length", "0"))
