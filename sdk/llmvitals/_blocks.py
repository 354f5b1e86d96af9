"""Watching the blocks in which a client hands out its response: the request is made on entering, and closed on leaving.

Such a block is a generator inside a context manager of `contextlib`, which is what the app holds. The
generator is replaced: it yields once, and is then resumed, or has the app's exception thrown into it.
"""

from collections.abc import Callable
from typing import Any

from opentelemetry import context

from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Started

Start = Callable[[], Started | None]


class Block:
    """The generator of a block, which a call goes with.

    start: starts the call, when the block is entered; None when it is none of ours.
    observe: `observe(call, response)` gives what the app is to get for the response.
    """

    __slots__ = ("_call", "_generator", "_observe", "_start")

    def __init__(self, generator: Any, start: Start, observe: Callable[[Call | Unrecorded, Any], Any]) -> None:
        self._generator = generator
        self._start: Start | None = start
        self._observe = observe
        self._call: Call | Unrecorded | None = None

    def __next__(self) -> Any:
        if self._start is None:
            self._left()
            return next(self._generator)
        started, self._start = self._start(), None
        if started is None:
            return next(self._generator)
        token = context.attach(started.context)
        try:
            response = next(self._generator)
        except BaseException as error:
            started.call.failed(error)
            raise
        finally:
            context.detach(token)
        self._call = started.call
        return self._observe(started.call, response)

    def throw(self, *raised: Any) -> Any:  # three arguments until Python 3.11, one later
        self._left()
        return self._generator.throw(*raised)

    def close(self) -> None:
        self._left()
        self._generator.close()

    def _left(self) -> None:
        if self._call is not None:
            self._call.closed()


class AsyncBlock(Block):
    """As `Block`, of an asynchronous generator."""

    __slots__ = ()

    async def __anext__(self) -> Any:
        if self._start is None:
            self._left()
            return await anext(self._generator)
        started, self._start = self._start(), None
        if started is None:
            return await anext(self._generator)
        token = context.attach(started.context)
        try:
            response = await anext(self._generator)
        except BaseException as error:
            started.call.failed(error)
            raise
        finally:
            context.detach(token)
        self._call = started.call
        return self._observe(started.call, response)

    async def athrow(self, *raised: Any) -> Any:
        self._left()
        return await self._generator.athrow(*raised)

    async def aclose(self) -> None:
        self._left()
        await self._generator.aclose()
