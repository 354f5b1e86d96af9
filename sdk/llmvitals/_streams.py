"""Watching what a client hands out: iterators chunk by chunk, and the closing of what holds them."""

import functools
import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from types import FrameType
from typing import Any

from opentelemetry import context

from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Started
from llmvitals._guard import contain

_HOOK = "_llmvitals_"  # and the method's name: the attribute that holds a hook


def watched(iterator: Iterator[Any], call: Call | Unrecorded) -> Generator[Any, None, None]:
    """A client's own iterator of chunks, whose every chunk and whose end the call is told of.

    For the inside of a client's stream; what takes the place of a generator is a `WatchedIterator`.
    """
    try:
        for chunk in iterator:
            try:
                call.chunk(chunk)
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

    def __enter__(self) -> "WatchedIterator":
        self._iterator.__enter__()  # type: ignore[attr-defined]
        return self

    def __exit__(self, *raised: Any) -> Any:
        if self._llmvitals_call is not None:
            self._llmvitals_call.closed()
        return self._iterator.__exit__(*raised)  # type: ignore[attr-defined]

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

    async def __anext__(self) -> Any:
        call = self._llmvitals_call
        if call is None:
            return await anext(self._iterator)
        try:
            chunk = await anext(self._iterator)
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

    async def aclose(self) -> None:
        if self._llmvitals_call is not None:
            self._llmvitals_call.closed()
        await self._iterator.aclose()  # type: ignore[attr-defined]

    async def __aenter__(self) -> "WatchedAsyncIterator":
        await self._iterator.__aenter__()  # type: ignore[attr-defined]
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        if self._llmvitals_call is not None:
            self._llmvitals_call.closed()
        return await self._iterator.__aexit__(*raised)  # type: ignore[attr-defined]

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


def unless_its_own(generator: Any, response: Any, tell: Callable[[], None]) -> Callable[[], None]:
    """`tell`, except where the client's `generator`, or the `response` itself, calls: then it is not the app's doing.

    The app may close from another thread or task while the generator waits for a chunk: so what counts is
    who calls, not whether the generator runs. When it is collected there is no more of it to be seen. An
    event loop that shuts down closes the response's own generators one by one (httpx 0.28 `aiter_raw`).
    """
    reference = weakref.ref(generator)
    transport = type(response).__module__.partition(".")[0]

    def tell_of_the_app() -> None:
        generator, caller = reference(), inspect.currentframe()
        while caller is not None and caller.f_globals.get("__name__") == __name__:
            caller = caller.f_back
        by_itself = caller is not None and caller.f_globals.get("__name__", "").partition(".")[0] == transport
        if generator is not None and not by_itself and not _calls(generator, caller):
            tell()

    return tell_of_the_app


def _calls(generator: Any, frame: FrameType | None) -> bool:
    """Whether a generator, of either kind, is among the callers of `frame`."""
    own = getattr(generator, "gi_frame", None) or getattr(generator, "ag_frame", None)
    while frame is not None and frame is not own:
        frame = frame.f_back
    return frame is not None


def before(instance: Any, method: str, tell: Callable[[], None]) -> None:
    """Have `tell()` called before `instance.method(...)`, the first time that it is called."""

    def telling(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        _unhook(instance=args[0], method=method)
        tell()
        return original(*args, **kwargs)

    _hook(instance, method, telling)


def after(instance: Any, method: str, tell: Callable[[Any], None]) -> None:
    """Have `tell(result)` called after `instance.method(...)`, awaited where it is a coroutine, the first time."""

    def told(instance: Any, result: Any) -> Any:
        _unhook(instance, method)
        tell(result)
        return result

    async def awaited(instance: Any, result: Awaitable[Any]) -> Any:
        return told(instance, await result)

    def telling(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        return awaited(args[0], result) if inspect.isawaitable(result) else told(args[0], result)

    _hook(instance, method, telling)


# The instance gets a subclass of its own class, whose method looks for a hook on the instance. A hook
# that held the instance itself would keep its socket open until the garbage collector comes by.


def _hook(instance: Any, method: str, hook: Callable[..., Any]) -> None:
    vars(instance)[_HOOK + method] = hook
    instance.__class__ = _hooked(instance.__class__, method)


def _unhook(instance: Any, method: str) -> None:
    vars(instance).pop(_HOOK + method, None)


@functools.cache
def _hooked(kind: Any, method: str) -> type:
    original = getattr(kind, method)

    @functools.wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        hook = vars(self).get(_HOOK + method)
        return original(self, *args, **kwargs) if hook is None else hook(original, self, *args, **kwargs)

    return type(kind.__name__, (kind,), {method: hooked, "__module__": kind.__module__, "__doc__": kind.__doc__})
