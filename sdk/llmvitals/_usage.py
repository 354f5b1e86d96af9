"""The usage of streams that tell it on request only: asked for where the app opts in, and its chunk hidden."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from llmvitals._adapter import Body, Operation

_asking = False


def ask(on: bool) -> None:
    """Ask for usage from now on, or no longer."""
    global _asking
    _asking = on


def asking() -> bool:
    """Whether the app has opted in."""
    return _asking


def asked(operation: Operation, body: Body) -> tuple[Body, Callable[[Any], bool]] | None:
    """The body that asks for a stream's usage, and how to tell the chunk that comes of it.

    None where there is no stream, or its usage comes unasked, or the app asks for it, or declines it, itself.
    """
    request = operation.usage_request
    if request is None or not operation.streamed(body):
        return None
    asking = request.ask(body)
    return None if asking is body else (asking, request.brings_only_usage)


class Without:
    """A stream's watched iterator, of either kind, without the chunks that `hides` knows."""

    __slots__ = ("_chunks", "_hides")

    def __init__(self, chunks: Any, hides: Callable[[Any], bool]) -> None:
        self._chunks = chunks
        self._hides = hides

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while self._hides(chunk := next(self._chunks)):
            pass
        return chunk

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while self._hides(chunk := await anext(self._chunks)):
            pass
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)
