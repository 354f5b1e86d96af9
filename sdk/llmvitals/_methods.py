"""Clients without a funnel: a table of the methods that make a request, each watched by itself."""

import contextvars
import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import wrapt

from llmvitals import _call, _streams
from llmvitals._adapter import Adapter, Body, Operation
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Request
from llmvitals._funnel import Funnel
from llmvitals._guard import contain
from llmvitals._patch import Patch, wrap

Server = Callable[[Any], tuple[str | None, int | None]]
"""From the object whose method is called to host and port of whom it talks to."""


def install(
    adapter: Adapter, module: ModuleType, *, positional: tuple[str, ...] = (), server: Server = lambda _: (None, None)
) -> list[Patch]:
    """Watch the client's methods that are the paths ("Class.method") of the adapter's operations.

    A method may be a function, a coroutine function, or a generator function of either kind, which
    makes its request when it is first asked for a chunk. What it returns is an answer or an iterator of chunks.

    positional: names of the arguments that may be given by position.
    server: who is talked to.
    """
    patches = []
    for path, operation in adapter.operations.items():
        method = _Method(adapter, operation, positional, server)
        patches.append(wrap(module, path, method.surface(wrapt.resolve_path(module, path)[2])))
    return patches


class _Method(Funnel):
    def __init__(self, adapter: Adapter, operation: Operation, positional: tuple[str, ...], server: Server) -> None:
        super().__init__(adapter)
        self._operation = operation
        self._positional = positional
        self._server = server

    def surface(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The wrapper that goes with the kind of function that `original` is."""
        if inspect.isasyncgenfunction(original):
            return self.agenerate
        if inspect.isgeneratorfunction(original):
            return self.generate
        return self.acall if inspect.iscoroutinefunction(original) else self.call

    def request(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request | None:
        if self.adapter.traced_by_itself and self.adapter.traced_by_itself(instance):
            return None
        body: Body = {**dict(zip(self._positional, args, strict=False)), **kwargs} if args else kwargs
        return Request(self._operation, body, *self._server(instance))

    def observe(self, call: Call | Unrecorded, result: Any) -> Any:
        if hasattr(result, "__next__"):
            _call.end_dropped_calls()
            return _streams.WatchedIterator(result, call)
        if hasattr(result, "__anext__"):
            _call.end_dropped_calls()
            return _streams.WatchedAsyncIterator(result, call)
        call.answered(result)
        return result

    def generate(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """Make the app's call of a generator function (a wrapper as wrapt has them)."""
        generator = wrapped(*args, **kwargs)
        return self._lazily(_streams.LazyIterator, generator, instance, args, kwargs)

    def agenerate(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """The same of an asynchronous one."""
        generator = wrapped(*args, **kwargs)
        return self._lazily(_streams.LazyAsyncIterator, generator, instance, args, kwargs)

    def _lazily(self, watch: Callable[..., Any], generator: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        try:
            # In the context of where the app asks, with its template and its span, not of where it reads.
            start = functools.partial(contextvars.copy_context().run, self._start, instance, args, kwargs)
            _call.end_dropped_calls()
            return watch(generator, start)
        except Exception as fault:
            if not contain("observing a generator", fault):
                raise
            return generator
