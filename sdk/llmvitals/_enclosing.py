"""Streams in which a client makes several calls, one after the other: to close one is to close the call in progress."""

import contextvars
import inspect
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Context, ContextVar
from types import ModuleType
from typing import Any

import wrapt

from llmvitals._adapter import Adapter
from llmvitals._call import Call, Unrecorded
from llmvitals._patch import Patch, wrap
from llmvitals._streams import WatchedAsyncIterator, WatchedIterator

# A client that streams through generators of its own, one inside the other, never closes the inner
# ones: they are dropped. And what it asks for, it asks when the app reads, not where the app asked.


class Enclosure:
    """What the calls in one stream share.

    adapter: whose calls they are; what the app calls meanwhile, in a tool, is none of them.
    asked: the context in which the app asked for the stream.
    """

    __slots__ = ("__weakref__", "_calls", "adapter", "asked")

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.asked: Context = contextvars.copy_context()
        self._calls: list[Call | Unrecorded] = []

    def add(self, call: Call | Unrecorded) -> None:
        self._calls.append(call)

    def closed(self) -> None:
        """The app has closed the stream; calls that have ended before take no notice."""
        for call in self._calls:
            call.closed()


# Weak, because contexts live on in connections that are made in them (asyncio), and a dropped call must be collected.
_current: ContextVar["weakref.ref[Enclosure] | None"] = ContextVar("llmvitals_enclosure", default=None)


def around(adapter: Adapter) -> Enclosure | None:
    """The enclosure in which a call of the adapter is made now; None where there is none."""
    reference = _current.get()
    enclosure = reference() if reference else None
    return enclosure if enclosure is not None and enclosure.adapter is adapter else None


def install(adapter: Adapter, module: ModuleType, paths: tuple[str, ...]) -> list[Patch]:
    """Watch the client's methods at `paths` ("Class.method") that give the app a stream, each with calls in it.

    A method is a generator function, or a coroutine function that gives an asynchronous generator.
    """
    surfaces = _Surfaces(adapter)
    return [wrap(module, path, surfaces.of(wrapt.resolve_path(module, path)[2])) for path in paths]


class _Surfaces:
    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def of(self, original: Callable[..., Any]) -> Callable[..., Any]:
        return self.aopen if inspect.iscoroutinefunction(original) else self.open

    def open(self, wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
        stream = wrapped(*args, **kwargs)
        return stream if around(self._adapter) else _EnclosingIterator(stream, Enclosure(self._adapter))

    async def aopen(self, wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
        stream = await wrapped(*args, **kwargs)
        return stream if around(self._adapter) else _EnclosingAsyncIterator(stream, Enclosure(self._adapter))


# The variable is set back by hand, since the token of a coroutine that is collected is of another context.


class _EnclosingIterator(WatchedIterator):
    __slots__ = ("_enclosure",)

    def __init__(self, iterator: Iterator[Any], enclosure: Enclosure) -> None:
        super().__init__(iterator, None)
        self._llmvitals_call = enclosure  # type: ignore[assignment]  # of which only `closed` is asked
        self._enclosure = weakref.ref(enclosure)

    def __next__(self) -> Any:
        before = _current.get()
        _current.set(self._enclosure)
        try:
            return next(self._iterator)
        finally:
            _current.set(before)


class _EnclosingAsyncIterator(WatchedAsyncIterator):
    __slots__ = ("_enclosure",)

    def __init__(self, iterator: AsyncIterator[Any], enclosure: Enclosure) -> None:
        super().__init__(iterator, None)
        self._llmvitals_call = enclosure  # type: ignore[assignment]  # of which only `closed` is asked
        self._enclosure = weakref.ref(enclosure)

    async def __anext__(self) -> Any:
        before = _current.get()
        _current.set(self._enclosure)
        try:
            return await anext(self._iterator)
        finally:
            _current.set(before)
