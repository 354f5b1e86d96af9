"""Clients without a funnel: a table of the methods that make a request, each watched by itself."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

import wrapt
from opentelemetry import context

from llmvitals import _blocks, _call, _enclosing, _streams
from llmvitals._adapter import Adapter, Body, Operation
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Request, Started
from llmvitals._funnel import Funnel
from llmvitals._nesting import call_in
from llmvitals._patch import Patch, wrap

Server = Callable[[Any], tuple[str | None, int | None] | tuple[str | None, int | None, str]]
"""From the object whose method is called, or a function's arguments (name -> value), to host and port of whom it
talks to and, where that varies, the provider."""


def install(
    adapter: Adapter,
    module: ModuleType,
    *,
    omitted: object = None,
    defaults: Callable[[Any], Body] = lambda _: {},
    server: Server = lambda _: (None, None),
    held_as: str | None = None,
    streams_from: str | None = None,
    alike: Mapping[str, str] = MappingProxyType({}),
) -> list[Patch]:
    """Watch the client's methods or functions that are the paths ("Class.method") of the adapter's operations.

    A method may be a function, a coroutine function, or a generator function of either kind, which
    makes its request when it is first asked for a chunk. What it returns is an answer or an iterator of chunks.
    A context manager of `contextlib` makes its request when its block is entered, and hands out an iterator there.

    omitted: the value of an argument that is not given.
    defaults: what the object whose method is called says in place of such an argument: name -> value.
    server: who is talked to.
    held_as: the attribute of a response that holds its answer, or its iterator; None where it is that itself.
    streams_from: the attribute of a stream of the client's own that holds its iterator, besides `response`, which it
        closes; None where streams are iterators themselves.
    alike: path of a function that takes anything -> path of the one to which it passes that on.
    """
    patches = []
    for path, operation in adapter.operations.items():
        original = wrapt.resolve_path(module, path)[2]
        owner, _, named = wrapt.resolve_path(module, alike.get(path, path))
        arguments = tuple(inspect.signature(named).parameters)[inspect.isclass(owner) :]  # without `self`
        method = _Method(adapter, operation, arguments, omitted, defaults, server, held_as, streams_from)
        patches.append(wrap(module, path, method.surface(original)))
    return patches


def current_call() -> Call | None:
    """The call that the client is making now, where it is recorded."""
    call = call_in(context.get_current())
    return call if isinstance(call, Call) else None


def attempt(wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
    """A wrapper of what the client does, sync or async, once for each attempt at a request."""
    call = current_call()
    if call is not None:
        call.attempts += 1
    return wrapped(*args, **kwargs)


class _Method(Funnel):
    def __init__(
        self,
        adapter: Adapter,
        operation: Operation,
        arguments: tuple[str, ...],
        omitted: object,
        defaults: Callable[[Any], Body],
        server: Server,
        held_as: str | None,
        streams_from: str | None,
    ) -> None:
        super().__init__(adapter)
        self._operation = operation
        self._arguments = arguments
        self._omitted = omitted
        self._defaults = defaults
        self._server = server
        self._held_as = held_as
        self._streams_from = streams_from

    def surface(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The wrapper that goes with the kind of function that `original` is."""
        if getattr(original, "__globals__", None) is vars(contextlib):
            return self.enter
        if inspect.isasyncgenfunction(original):
            return self.agenerate
        if inspect.isgeneratorfunction(original):
            return self.generate
        return self.acall if inspect.iscoroutinefunction(original) else self.call

    def request(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request | None:
        if self.adapter.traced_by_itself and self.adapter.traced_by_itself(instance):
            return None
        given = {**dict(zip(self._arguments, args, strict=False)), **kwargs} if args else kwargs
        said = {name: value for name, value in given.items() if value is not self._omitted}
        server = self._server(said if instance is None else instance)
        return Request(self._operation, {**self._defaults(instance), **said}, *server)

    def _start(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Started | None:
        enclosure = _enclosing.around(self.adapter) if self._operation.streamed(kwargs) else None
        if enclosure is None:
            return super()._start(instance, args, kwargs)
        started = enclosure.asked.run(super()._start, instance, args, kwargs)
        if started is not None:
            enclosure.add(started.call)
        return started

    def observe(self, call: Call | Unrecorded, result: Any) -> Any:
        if self._held_as is None:
            return self._watched(call, result)
        setattr(result, self._held_as, self._watched(call, getattr(result, self._held_as)))
        return result

    def _watched(self, call: Call | Unrecorded, result: Any) -> Any:
        synchronous = hasattr(result, "__next__")
        if self._streams_from and hasattr(result, self._streams_from):
            _streams.watch_inside(result, self._streams_from, call)
        elif not (synchronous or hasattr(result, "__anext__")):
            call.answered(result)
            return result
        elif hasattr(result, "__dict__"):  # an object of the client's own, rather than a generator
            _streams.watch_itself(result, call)
        else:
            result = (_streams.WatchedIterator if synchronous else _streams.WatchedAsyncIterator)(result, call)
        _call.end_dropped_calls()
        return result

    def generate(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """Make the app's call of a generator function (a wrapper as wrapt has them)."""
        generator = wrapped(*args, **kwargs)
        return self._lazily(_streams.LazyIterator, generator, instance, args, kwargs)

    def agenerate(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """The same of an asynchronous one."""
        generator = wrapped(*args, **kwargs)
        return self._lazily(_streams.LazyAsyncIterator, generator, instance, args, kwargs)

    def enter(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """The same of a function that gives a context manager of `contextlib`, of either kind."""
        manager = wrapped(*args, **kwargs)
        asynchronous = isinstance(manager, contextlib.AbstractAsyncContextManager)
        block = functools.partial(_blocks.AsyncBlock if asynchronous else _blocks.Block, observe=self._observed)
        manager.gen = self._lazily(block, manager.gen, instance, args, kwargs)
        return manager
