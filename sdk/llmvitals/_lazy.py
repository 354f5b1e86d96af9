"""The funnel of clients whose requests all pass one method, and whose streams make theirs when they are first read."""

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from llmvitals import _streams
from llmvitals._adapter import Adapter, Body
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Request
from llmvitals._funnel import Funnel
from llmvitals._guard import Guard
from llmvitals._patch import Patch, wrap

Read = Callable[[Any, tuple[Any, ...], dict[str, Any]], tuple[str, Body, str | None, int | None]]
"""From the client and the arguments of its method to the request: its path, its body, its host and its port."""


def install(adapter: Adapter, module: ModuleType, sync: str, asynchronous: str, read: Read) -> list[Patch]:
    """Watch the method of each kind of client, at its path in `module` ("Class.method"), that makes the requests."""
    funnel = _Funnel(adapter, read)
    return [wrap(module, sync, funnel.send), wrap(module, asynchronous, funnel.asend)]


class _Funnel(Funnel):
    def __init__(self, adapter: Adapter, read: Read) -> None:
        super().__init__(adapter)
        self._read = read

    def request(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request | None:
        path, body, host, port = self._read(instance, args, kwargs)
        operation = self.adapter.operations.get(path)
        return None if operation is None else Request(operation, body, host, port)

    def observe(self, call: Call | Unrecorded, result: Any) -> Any:
        call.answered(result)
        return result

    def send(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """Make the app's call, or hand out the stream that will make it (a wrapper as wrapt has them)."""
        if not self._streams(instance, args, kwargs):
            return self.call(wrapped, instance, args, kwargs)
        return self._lazily(_streams.LazyIterator, wrapped(*args, **kwargs), instance, args, kwargs)

    async def asend(self, wrapped: Callable[..., Awaitable[Any]], instance: Any, args: Any, kwargs: Any) -> Any:
        """The same of an asynchronous one."""
        if not self._streams(instance, args, kwargs):
            return await self.acall(wrapped, instance, args, kwargs)
        return self._lazily(_streams.LazyAsyncIterator, await wrapped(*args, **kwargs), instance, args, kwargs)

    def _streams(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        with Guard("reading a request"):
            request = self.request(instance, args, kwargs)
            return request is not None and request.operation.streamed(request.body)
        return False
