"""Watching what a client hands out: iterators chunk by chunk, and the closing of what holds them."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any

from opentelemetry import context

from llmvitals import _hooks, _nesting
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Started
from llmvitals._guard import contain


def watched(iterator: Iterator[Any], call: Call | Unrecorded) -> Generator[Any, None, None]:
    """A client's own iterator of chunks, whose every chunk and whose end the call is told of.

    For the inside of a client's stream; what takes the place of a generator is a `WatchedIterator`.
    """
    tell = call.chunk
    try:
        for chunk in iterator:
            try:
                tell(chunk)
            except Exception as fault:  # not `with Guard(...)`, which would double the cost of a chunk
                if not contain("counting a chunk", fault):
                    raise
            yield chunk
    except GeneratorExit:
        raise  # closed by the app, who tells by another way, or collected, and then the call is, too
    except BaseException as error:
        call.failed(error)
        raise
    call.exhausted()


class WatchedIterator:
    """A client's iterator of chunks that is the app's to close; it passes for what it watches."""

    __slots__ = ("_chunks", "_iterator", "_llmvitals_call")

    def __init__(self, iterator: Iterator[Any], call: Call | Unrecorded | None) -> None:
        self._iterator = iterator
        self._llmvitals_call = call
        self._chunks: Iterator[Any] = iterator if call is None else watched(iterator, call)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._iterator)

    def __iter__(self) -> "WatchedIterator":
        return self

    def __next__(self) -> Any:
        return next(self._chunks)

    def close(self) -> None:
        if self._llmvitals_call is not None:
            self._llmvitals_call.closed()
        self._iterator.close()  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


class LazyIterator(WatchedIterator):
    """A generator that makes its request when it is first asked for a chunk: then the call starts."""

    __slots__ = ("_start",)

    def __init__(self, iterator: Iterator[Any], start: Callable[[], Started | None]) -> None:
        super().__init__(iterator, None)
        self._start: Callable[[], Started | None] | None = start

    def __next__(self) -> Any:
        if self._start is None:
            return next(self._chunks)
        started, self._start = self._start(), None
        if started is None:
            return next(self._chunks)
        self._llmvitals_call, self._chunks = started.call, watched(self._iterator, started.call)
        token = context.attach(started.context)
        try:
            return next(self._chunks)
        finally:
            context.detach(token)


async def _awaited(call: Call | Unrecorded, coming: Awaitable[Any]) -> Any:
    """The chunk that is `coming`, of which, or of whose failing to come, the call is told."""
    try:
        chunk = await coming
    except StopAsyncIteration:
        call.exhausted()
        raise
    except BaseException as error:
        call.failed(error)
        raise
    try:
        call.chunk(chunk)
    except Exception as fault:
        if not contain("counting a chunk", fault):
            raise
    return chunk


class WatchedAsyncIterator:
    """A client's asynchronous iterator of chunks, inside of a stream or the app's to close."""

    __slots__ = ("_iterator", "_llmvitals_call")

    def __init__(self, iterator: AsyncIterator[Any], call: Call | Unrecorded | None) -> None:
        self._iterator = iterator
        self._llmvitals_call = call

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._iterator)

    def __aiter__(self) -> "WatchedAsyncIterator":
        return self

    def __anext__(self) -> Awaitable[Any]:
        call, chunk = self._llmvitals_call, anext(self._iterator)
        return chunk if call is None else _awaited(call, chunk)

    async def aclose(self) -> None:
        if self._llmvitals_call is not None:
            self._llmvitals_call.closed()
        await self._iterator.aclose()  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


class LazyAsyncIterator(WatchedAsyncIterator):
    """As `LazyIterator`, of an asynchronous generator."""

    __slots__ = ("_start",)

    def __init__(self, iterator: AsyncIterator[Any], start: Callable[[], Started | None]) -> None:
        super().__init__(iterator, None)
        self._start: Callable[[], Started | None] | None = start

    async def __anext__(self) -> Any:
        if self._start is None:
            return await super().__anext__()
        started, self._start = self._start(), None
        if started is None:
            return await super().__anext__()
        self._llmvitals_call = started.call
        token = context.attach(started.context)
        try:
            return await super().__anext__()
        finally:
            context.detach(token)


def watch_inside(stream: Any, attribute: str, call: Call | Unrecorded) -> None:
    """Watch the iterator that a client's stream holds as `attribute`; the stream itself stays the client's own.

    To close the stream is to close its `response`, as the iterator does, too, when it has come to its end.
    """
    iterator = getattr(stream, attribute)
    asynchronous = hasattr(iterator, "__anext__")
    closed = _hooks.unless_its_own(iterator, stream.response, call.closed)
    setattr(stream, attribute, (WatchedAsyncIterator if asynchronous else watched)(iterator, call))
    stream._llmvitals_call = call  # so that feedback can be given on the stream itself
    _hooks.before(stream.response, "aclose" if asynchronous else "close", closed)


def watch_itself(stream: Any, call: Call | Unrecorded) -> None:
    """Watch a stream of the client's own that is an iterator, of either kind or of both; it stays what it is.

    Such a stream may make its request, or another one, when it is read (LiteLLM 1.106): that is of the same call.
    """
    if hasattr(stream, "__next__"):
        _hooks.around(stream, "__next__", functools.partial(_read, call))
    if hasattr(stream, "__anext__"):
        _hooks.around(stream, "__anext__", functools.partial(_aread, call))
    for close in ("close", "aclose"):
        if hasattr(stream, close):
            _hooks.before(stream, close, call.closed)
    stream._llmvitals_call = call  # so that feedback can be given on the stream itself


async def _aread(call: Call | Unrecorded, read: Callable[[Any], Awaitable[Any]], stream: Any) -> Any:
    token = context.attach(_nesting.more_of(call))
    try:
        return await _awaited(call, read(stream))
    finally:
        context.detach(token)


def _read(call: Call | Unrecorded, read: Callable[[Any], Any], stream: Any) -> Any:
    token = context.attach(_nesting.more_of(call))
    try:
        chunk = read(stream)
    except StopIteration:
        call.exhausted()
        raise
    except BaseException as error:
        call.failed(error)
        raise
    finally:
        context.detach(token)
    try:
        call.chunk(chunk)
    except Exception as fault:
        if not contain("counting a chunk", fault):
            raise
    return chunk
