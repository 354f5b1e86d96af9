"""The body of an HTTP request, piece by piece as it arrives."""

import asyncio
from contextlib import suppress

from llmvitals import semconv
from llmvitals_collector.http_server import Receive
from llmvitals_collector.receivers import RefusedError
from llmvitals_collector.receivers.admission import Lease, SizeLimit

# How long a client may take to send a body, whose bytes are on the account meanwhile.
_READ_SECONDS = 30
_DISCARD_SECONDS = 2


class HttpBody:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._complete = False

    async def read(self, limit: SizeLimit, lease: Lease) -> bytes:
        """The whole of it; what has come is held by the lease.

        Raises:
            RefusedError: it is too large or does not fit now, ends early, or takes too long.
        """
        pieces, size = [], 0
        try:
            async with asyncio.timeout(_READ_SECONDS):
                while not self._complete:
                    piece = await self._piece()
                    size += len(piece)
                    limit.check(size)
                    lease.grow(len(piece))
                    pieces.append(piece)
        except TimeoutError as error:
            raise RefusedError(semconv.ABORTED, f"the body was not there after {_READ_SECONDS} s") from error
        return b"".join(pieces)

    async def discard(self) -> None:
        """Take what still comes off the connection: closed before, it would take the answer with it."""
        with suppress(TimeoutError, RefusedError):
            async with asyncio.timeout(_DISCARD_SECONDS):
                while not self._complete:
                    await self._piece()

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._complete = True
            raise RefusedError(semconv.ABORTED, "the body ended early")
        self._complete = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece
