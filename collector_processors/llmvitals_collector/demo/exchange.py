"""One request's response, sent at the pace and with the faults that its behaviour asks for."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from llmvitals_collector.demo.behaviour import Served
from llmvitals_collector.demo.wire import Event, Reply, StreamingWire, Wire

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PHRASES = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}


class Exchange:
    """The response to one request, by ASGI's `receive` and `send`; writes down in `served` what it does.

    headers: the response's, beside those of its content: name -> value.
    All is due at times counted from the request's arrival, so that what the work itself takes does not add up.
    Raises ConnectionResetError when the client leaves.
    """

    def __init__(self, served: Served, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        self._served = served
        self._headers = headers
        self._behaviour = served.behaviour
        self._send = send
        # After the request's body there is but one more message to receive: that the client has left.
        self._left = asyncio.ensure_future(receive())

    def end(self) -> None:
        self._left.cancel()
        if self._served.ended is None:
            self._served.ended = time.perf_counter()

    async def refuse(self, wire: Wire) -> None:
        """Sends an error response."""
        status = self._behaviour.status
        await self._until(self._behaviour.headers_after_seconds)
        await self._whole(status, wire.error(status, PHRASES.get(status, "Error")))

    async def answer(self, wire: Wire, reply: Reply) -> None:
        """Sends the answer whole, at the time when its last token would have been sent."""
        await self._until(self._token_due(max(self._behaviour.output_tokens - 1, 0)))
        await self._whole(200, wire.whole(reply))

    async def stream(self, wire: StreamingWire, reply: Reply) -> None:
        """Sends the answer event by event."""
        told = self._behaviour
        events = list(wire.events(reply))
        if told.error_after is not None:
            events = events[: _position(events, told.error_after)]
            events += wire.broken(reply, len(events))
        if told.cut_after is not None:
            events = events[: _position(events, told.cut_after)]
        await self._until(told.headers_after_seconds)
        await self._start(200, {"content-type": wire.MEDIA_TYPE})
        tokens = 0
        for event in events:
            if event.is_token:
                await self._until(self._token_due(tokens))
                tokens += 1
                self._served.first_token_at = self._served.first_token_at or time.perf_counter()
            await self._body(event.data, last=event is events[-1])

    async def _whole(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        await self._start(status, {"content-type": "application/json", "content-length": str(len(data))})
        if self._behaviour.cut_after is not None:
            data = data[: len(data) // 2]
        await self._body(data, last=True)

    async def _start(self, status: int, content: dict[str, str]) -> None:
        self._served.status = status
        headers = {**content, **self._headers}
        if self._behaviour.retry_after_seconds is not None:
            headers["retry-after"] = str(self._behaviour.retry_after_seconds)
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def _body(self, data: bytes, *, last: bool) -> None:
        last = last and self._behaviour.cut_after is None
        if last:  # written down first, so that whoever has the answer finds its record complete
            self._served.completed = True
            self._served.ended = time.perf_counter()
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    def _token_due(self, tokens: int) -> float:
        """When a token is sent that comes after so many others, in seconds since the request's arrival."""
        told = self._behaviour
        return told.headers_after_seconds + told.first_token_seconds + tokens * told.token_seconds

    async def _until(self, due: float) -> None:
        seconds = max(self._served.started + due - time.perf_counter(), 0)
        await asyncio.wait([self._left], timeout=seconds)
        if self._left.done():
            raise ConnectionResetError


def _position(events: list[Event], tokens: int) -> int:
    """Where so many tokens have been sent: just after the last of them; for none, before the first there is."""
    spoken = [index for index, event in enumerate(events) if event.is_token]
    if not spoken:
        return len(events)
    return spoken[min(tokens, len(spoken)) - 1] + 1 if tokens else spoken[0]
