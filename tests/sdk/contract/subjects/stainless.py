"""The ways of calling that all clients made by Stainless share."""

import inspect
from collections.abc import Callable
from typing import Any

ERRORS = {401: "AuthenticationError", 429: "RateLimitError", 500: "InternalServerError"}


def errors(package: str) -> dict[int, str]:
    """Status -> the exception of a client made by Stainless."""
    return {status: f"{package}.{name}" for status, name in ERRORS.items()}


def seen(chunk: Any) -> Any:
    """A chunk without what differs from one answer to the next."""
    if not hasattr(chunk, "model_dump"):
        return type(chunk).__qualname__, chunk
    told = {key: value for key, value in chunk.model_dump().items() if key in ("delta", "index", "type", "choices")}
    return type(chunk).__qualname__, told


def awaits_chunk(stream: Any) -> bool:
    """Whether somebody waits for a chunk of a `Stream` or an `AsyncStream`."""
    chunks = stream._iterator
    return chunks.gi_running if inspect.isgenerator(chunks) else chunks.ag_running


async def _parsed(raw: Any) -> Any:
    parsed = raw.parse()
    return await parsed if inspect.isawaitable(parsed) else parsed


class Resource:
    """A resource of the client that has `create`, and perhaps `parse` and `stream`.

    sync, asynchronous: from the `Clients` to the resource.
    """

    def __init__(self, sync: Callable[[Any], Any], asynchronous: Callable[[Any], Any], request: dict[str, Any]) -> None:
        self._sync = sync
        self._async = asynchronous
        self._request = request

    def create(self, clients: Any) -> Any:
        return self._sync(clients).create(**self._request)

    async def acreate(self, clients: Any) -> Any:
        return await self._async(clients).create(**self._request)

    def open(self, clients: Any) -> Any:
        return self._sync(clients).create(**self._request, stream=True)

    async def aopen(self, clients: Any) -> Any:
        return await self._async(clients).create(**self._request, stream=True)

    def helper(self, clients: Any) -> Any:
        return self._sync(clients).stream(**self._request)

    def whole(self) -> dict[str, Any]:
        def parse(clients: Any) -> Any:
            return self._sync(clients).parse(**self._request)

        def raw(clients: Any) -> Any:
            return self._sync(clients).with_raw_response.create(**self._request).parse()

        async def araw(clients: Any) -> Any:
            return await _parsed(await self._async(clients).with_raw_response.create(**self._request))

        def streaming(clients: Any) -> Any:
            with self._sync(clients).with_streaming_response.create(**self._request) as response:
                return response.parse()

        async def astreaming(clients: Any) -> Any:
            async with self._async(clients).with_streaming_response.create(**self._request) as response:
                return await response.parse()

        def read_by_the_app(clients: Any) -> Any:
            with self._sync(clients).with_streaming_response.create(**self._request) as response:
                return response.json()

        return {
            "create": self.create,
            "async create": self.acreate,
            "parse": parse,
            "raw response": raw,
            "async raw response": araw,
            "streaming response": streaming,
            "async streaming response": astreaming,
            "streaming response read by the app": read_by_the_app,
        }

    def streamed(self) -> dict[str, Any]:
        def stream(clients: Any) -> Any:
            return list(self.open(clients))

        def in_a_block(clients: Any) -> Any:
            with self.open(clients) as chunks:
                return list(chunks)

        def by_next(clients: Any) -> Any:
            chunks, seen = self.open(clients), []
            while (chunk := next(chunks, None)) is not None:
                seen.append(chunk)
            return seen

        async def astream(clients: Any) -> Any:
            return [chunk async for chunk in await self.aopen(clients)]

        def helper(clients: Any) -> Any:
            with self.helper(clients) as chunks:
                return [chunk.type for chunk in chunks]

        async def ahelper(clients: Any) -> Any:
            async with self._async(clients).stream(**self._request) as chunks:
                return [chunk.type async for chunk in chunks]

        def raw(clients: Any) -> Any:
            return list(self._sync(clients).with_raw_response.create(**self._request, stream=True).parse())

        async def araw(clients: Any) -> Any:
            response = await self._async(clients).with_raw_response.create(**self._request, stream=True)
            return [chunk async for chunk in await _parsed(response)]

        def streaming(clients: Any) -> Any:
            with self._sync(clients).with_streaming_response.create(**self._request, stream=True) as response:
                return list(response.parse())

        return {
            "stream": stream,
            "stream in a block": in_a_block,
            "stream by next": by_next,
            "async stream": astream,
            "stream helper": helper,
            "async stream helper": ahelper,
            "raw stream": raw,
            "async raw stream": araw,
            "streaming response stream": streaming,
        }
