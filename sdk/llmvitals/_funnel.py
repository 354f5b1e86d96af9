"""Where a client's calls pass: each is started, made once as the app made it, and its result observed."""

import contextvars
import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from opentelemetry import context

from llmvitals import _call, _emit
from llmvitals._adapter import Adapter
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Request, Started
from llmvitals._guard import Fuse, contain


class Funnel(ABC):
    """The wrappers around one client library's calls, sync and async.

    The app's call is made exactly once, outside of whatever of ours could fail; the app gets the
    client's result, or its exception.
    """

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self._fuse = Fuse(adapter.module)

    @abstractmethod
    def request(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request | None:
        """What the app asks for; None when that is not a call."""

    @abstractmethod
    def observe(self, call: Call | Unrecorded, result: Any) -> Any:
        """See the end of `call` in what the client hands out, and return what the app is to get for it."""

    def call(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """Make the app's call (a wrapper as wrapt has them)."""
        started = self._start(instance, args, kwargs)
        if started is None:
            return wrapped(*args, **kwargs)
        token = context.attach(started.context)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            started.call.failed(error)
            raise
        finally:
            context.detach(token)
        return self._observed(started.call, result)

    async def acall(self, wrapped: Callable[..., Awaitable[Any]], instance: Any, args: Any, kwargs: Any) -> Any:
        """`call`, awaited."""
        started = self._start(instance, args, kwargs)
        if started is None:
            return await wrapped(*args, **kwargs)
        token = context.attach(started.context)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as error:
            started.call.failed(error)
            raise
        finally:
            context.detach(token)
        return self._observed(started.call, result)

    def _start(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Started | None:
        if self._fuse.blown:
            return None
        try:
            request = self.request(instance, args, kwargs)
            return None if request is None else _emit.start(self.adapter.provider, request, self._fuse)
        except Exception as fault:
            self._fuse.tell(failed=True)
            if not contain("starting a call", fault):
                raise
            return None

    def _observed(self, call: Call | Unrecorded, result: Any) -> Any:
        try:
            return self.observe(call, result)
        except Exception as fault:
            if not contain("observing a result", fault):
                raise
            return result

    def _lazily(self, watch: Callable[..., Any], generator: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """What is handed out for a `generator` that makes its request when it is first read."""
        try:
            # In the context of where the app asks, with its template and its span, not of where it reads.
            start = functools.partial(contextvars.copy_context().run, self._start, instance, args, kwargs)
            _call.end_dropped_calls()
            return watch(generator, start)
        except Exception as fault:
            if not contain("observing a generator", fault):
                raise
            return generator
