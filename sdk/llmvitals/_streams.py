"""Watching what a client hands out: iterators chunk by chunk, and the closing of what holds them."""

import functools
import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import FrameType
from typing import Any

from llmvitals._call import Call
from llmvitals._guard import contain

_HOOK = "_llmvitals_"  # and the method's name: the attribute that holds a hook


class WatchedIterator:
    """A client's own iterator of chunks, whose every chunk and whose end the call is told of."""

    __slots__ = ("_call", "_iterator")

    def __init__(self, iterator: Iterator[Any], call: Call) -> None:
        self._iterator = iterator
        self._call = call

    def __iter__(self) -> "WatchedIterator":
        return self

    def __next__(self) -> Any:
        call = self._call
        try:
            chunk = next(self._iterator)
        except StopIteration:
            call.exhausted()
            raise
        except BaseException as error:
            call.failed(error)
            raise
        try:
            call.chunk(chunk)
        except Exception as fault:  # not `with Guard(...)`, which would double the cost of a chunk
            if not contain("reading a chunk", fault):
                raise
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


class WatchedAsyncIterator:
    """The same for a client's asynchronous iterator."""

    __slots__ = ("_call", "_iterator")

    def __init__(self, iterator: AsyncIterator[Any], call: Call) -> None:
        self._iterator = iterator
        self._call = call

    def __aiter__(self) -> "WatchedAsyncIterator":
        return self

    async def __anext__(self) -> Any:
        call = self._call
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
            if not contain("reading a chunk", fault):
                raise
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


def unless_its_own(generator: Any, tell: Callable[[], None]) -> Callable[[], None]:
    """`tell`, except where it is the client's `generator` that calls: what that closes is not the app's doing.

    The app may close from another thread or task while the generator waits for a chunk: so what counts is
    who calls, not whether the generator runs. When it is collected there is no more of it to be seen.
    """
    reference = weakref.ref(generator)

    def tell_of_the_app() -> None:
        generator = reference()
        if generator is not None and not _calls(generator, inspect.currentframe()):
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
