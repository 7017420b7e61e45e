"""Reads request bodies outside the web thread: a complete body within a deadline and a size limit, or a refusal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from apps.common.errors import LARGEST_BODY, HimsError, PayloadTooLarge, RequestTimeout, Unavailable

SECONDS = 10.0  # from the headers to the end of the body
LINGER_SECONDS = 5.0  # in which a client may keep sending after the refusal
MOST_HELD = 64 * 1024 * 1024  # bytes of all bodies of one worker that arrive or wait for the web thread

Deliver = Callable[[bytes, type[HimsError] | None], None]


class ClientGone(Exception):
    """The client closed the connection before the body was complete, or broke the framing of its chunks."""


def is_expected(headers: Any) -> bool:
    """Returns whether a request with these headers has a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class Bodies:
    """The bodies that arrive at one worker. Runs in the thread of the worker's event loop."""

    def __init__(self) -> None:
        self.bytes_held = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self, headers: Any, proto: Any, deliver: Deliver) -> None:
        """Reads a body and delivers it, or its refusal. The receiver of a body calls `release`."""
        task = asyncio.get_running_loop().create_task(self._read_and_deliver(headers, proto, deliver))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def release(self, size: int) -> None:
        """Stops counting the bytes of a body."""
        self.bytes_held -= size

    async def _read_and_deliver(self, headers: Any, proto: Any, deliver: Deliver) -> None:
        declared = _declared_length(headers)
        body = bytearray()
        chunks = _chunks(proto)
        delivered = 0
        try:
            async with asyncio.timeout(SECONDS):
                await self._read(chunks, declared, body)
        except ClientGone:
            proto.response_empty(400, [])  # rarely read; without a reply granian logs an error
        except TimeoutError:
            deliver(b"", RequestTimeout)
        except (PayloadTooLarge, Unavailable) as refusal:
            deliver(b"", type(refusal))
            await _discard(chunks)
        else:
            delivered = len(body)
            deliver(bytes(body), None)
        finally:
            self.release(len(body) - delivered)

    async def _read(self, chunks: AsyncIterator[bytes], declared: int | None, body: bytearray) -> None:
        if declared is not None and declared > LARGEST_BODY:
            raise PayloadTooLarge
        empty = 0
        async for chunk in chunks:
            empty += not chunk
            body += chunk
            self.bytes_held += len(chunk)
            if len(body) > LARGEST_BODY:
                raise PayloadTooLarge
            if self.bytes_held > MOST_HELD:
                raise Unavailable
            if len(body) == declared:
                return
        # granian ends every body with an empty chunk. Interrupted chunks add another one, and so do trailers, which are unusual:
        # half a form must not count as a complete one (RFC 9112, 8).
        if declared is not None or empty > 1:
            raise ClientGone


async def _chunks(proto: Any) -> AsyncIterator[bytes]:
    """Yields the chunks of the body. granian lets a body be read once; this can be read in two parts."""
    async for chunk in proto:
        yield chunk


async def _discard(chunks: AsyncIterator[bytes]) -> None:
    """Reads and drops the rest: closing the connection while the client sends resets it, and the reply would be lost."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            async for _chunk in chunks:
                pass


def _declared_length(headers: Any) -> int | None:
    """Returns the Content-Length; None for a chunked body. The server has refused anything but a number."""
    return None if "transfer-encoding" in headers else int(headers.get("content-length", "0"))
