"""Watching generators of the app: a call is current whenever its generator runs, and not while its consumer does."""

from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any

from opentelemetry.context import Context, attach, get_current

from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Started
from llmvitals._guard import Guard
from llmvitals._streams import WatchedAsyncIterator, WatchedIterator

Start = Callable[[], Started | None]


class _Steps:
    """A generator's steps: the first one starts its call, each is made inside of it, and the last one ends it."""

    __slots__ = ("_outer", "_start", "_within", "call")

    def __init__(self, start: Start) -> None:
        self._start: Start | None = start
        self._within: Context | None = None
        self.call: Call | Unrecorded | None = None

    def __enter__(self) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            started = start()
            if started is not None:
                self.call, self._within = started
        if self._within is not None:
            self._outer = get_current()
            attach(self._within)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.call is None:
            return
        attach(self._outer)  # not `detach`: an event loop closes generators in a context of its own
        if isinstance(error, StopIteration | StopAsyncIteration):
            self.call.exhausted()
        elif error is not None:
            self.call.failed(error)

    def brought(self, value: Any) -> None:
        """A step has brought a value: a chunk. Of an unrecorded call it matters only if it may have an id."""
        if isinstance(self.call, Call) or (self.call is not None and not isinstance(value, str)):
            with Guard("counting a chunk"):
                self.call.chunk(value)


# Objects that pass for generators, because a generator cannot tell whether it is closed or dropped.


class WatchedGenerator(WatchedIterator):
    """A generator of the app, each of whose values is a chunk."""

    __slots__ = ("_steps",)

    def __init__(self, generator: Generator[Any, Any, Any], start: Start) -> None:
        super().__init__(generator, None)
        self._steps = _Steps(start)

    def __next__(self) -> Any:
        return self._step(self._iterator.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._iterator.send, value)  # type: ignore[attr-defined]

    def throw(self, *error: Any) -> Any:
        return self._step(self._iterator.throw, *error)  # type: ignore[attr-defined]

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        with self._steps:
            self._llmvitals_call = self._steps.call
            value = step(*arguments)
        self._steps.brought(value)
        return value

    def close(self) -> None:
        if self._llmvitals_call is None:
            return super().close()
        with self._steps:
            self._iterator.close()  # type: ignore[attr-defined]
        return self._llmvitals_call.closed()


class WatchedAsyncGenerator(WatchedAsyncIterator):
    """As `WatchedGenerator`, of an asynchronous one."""

    __slots__ = ("_steps",)

    def __init__(self, generator: AsyncGenerator[Any, Any], start: Start) -> None:
        super().__init__(generator, None)
        self._steps = _Steps(start)

    async def __anext__(self) -> Any:
        return await self._step(self._iterator.__anext__)

    async def asend(self, value: Any) -> Any:
        return await self._step(self._iterator.asend, value)  # type: ignore[attr-defined]

    async def athrow(self, *error: Any) -> Any:
        return await self._step(self._iterator.athrow, *error)  # type: ignore[attr-defined]

    async def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        with self._steps:
            self._llmvitals_call = self._steps.call
            value = await step(*arguments)
        self._steps.brought(value)
        return value

    async def aclose(self) -> None:
        if self._llmvitals_call is None:
            return await super().aclose()
        with self._steps:
            await self._iterator.aclose()  # type: ignore[attr-defined]
        return self._llmvitals_call.closed()
