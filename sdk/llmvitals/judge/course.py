"""A course of requests and pauses, written once, and run by a thread or by an event loop."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from llmvitals import semconv
from llmvitals._nesting import unobserved
from llmvitals.judge.failures import NoJudgement

T = TypeVar("T")

_LARGEST = 1 << 20  # bytes of a response: a judgement has less than a hundredth of it


class Send(NamedTuple):
    """Send a chat completion request; its response's bytes come back, or what the client raises, or NoJudgement.

    body: the arguments of `chat.completions.create`. seconds: that it may take in all.
    """

    body: dict[str, Any]
    seconds: float


class Pause(NamedTuple):
    """Wait."""

    seconds: float


Course: TypeAlias = Generator[Send | Pause, Any, T]
"""It yields what is to be waited for, is sent what comes of it, and returns a T."""


def run(course: Course[T], client: Any) -> T:
    """Run a course with an `openai.OpenAI`."""
    resume: Callable[[Any], Send | Pause] = course.send
    came: Any = None
    while True:
        try:
            step = resume(came)
        except StopIteration as end:
            return cast(T, end.value)
        try:
            resume, came = course.send, _wait(client, step)
        except Exception as error:
            resume, came = course.throw, error


async def arun(course: Course[T], client: Any) -> T:
    """Run a course with an `openai.AsyncOpenAI`."""
    resume: Callable[[Any], Send | Pause] = course.send
    came: Any = None
    while True:
        try:
            step = resume(came)
        except StopIteration as end:
            return cast(T, end.value)
        try:
            resume, came = course.send, await _await(client, step)
        except Exception as error:
            resume, came = course.throw, error


# The client's own timeout is between two reads. There are hosts that send blanks while their model thinks, so that
# it never comes to one; and nobody promises that a response is small. So the body is read here. A thread can still
# wait for its last read, so that it may take twice as long as it should.


def _wait(client: Any, step: Send | Pause) -> bytes:
    if isinstance(step, Pause):
        time.sleep(step.seconds)
        return b""
    body = _Body(step.seconds)
    with unobserved(), _request(client, step) as response:
        for piece in response.iter_bytes():
            body.add(piece)
    return bytes(body)


async def _await(client: Any, step: Send | Pause) -> bytes:
    if isinstance(step, Pause):
        await asyncio.sleep(step.seconds)
        return b""
    body = _Body(step.seconds)
    with unobserved():
        async with asyncio.timeout(step.seconds), _request(client, step) as response:
            async for piece in response.iter_bytes():
                body.add(piece)
    return bytes(body)


def _request(client: Any, send: Send) -> Any:
    return client.chat.completions.with_streaming_response.create(**send.body, timeout=send.seconds)


class _Body(bytearray):
    """A response's body, which may take a number of seconds to come."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._until = time.monotonic() + seconds

    def add(self, piece: bytes) -> None:
        """Take in what has come."""
        self += piece
        if len(self) > _LARGEST:
            raise NoJudgement(semconv.JUDGE_INVALID, semconv.OVERSIZED)
        if time.monotonic() > self._until:
            raise TimeoutError
