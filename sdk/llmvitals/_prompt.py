"""The prompt template that the calls inside belong to."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


class Template(NamedTuple):
    """Name and version of a prompt template, as they stand on a span, and the template around it."""

    name: str
    version: str | None
    outer: "Template | None" = None


current: ContextVar[Template | None] = ContextVar("llmvitals.prompt", default=None)
"""The template in force. Tasks take it along by themselves, threads by `_threads`."""


class prompt:  # noqa: N801 - used as a function is, and named as one
    """Put a prompt template's name and version on every call made inside.

    As a context manager (`with prompt("support-answer", version="3"):`) or as a decorator of a
    function, a coroutine function, a generator function or an async one. Calls made in threads and
    tasks that are started inside count as inside. Of two, the inner one is in force. One `prompt`
    may be entered again, and by several tasks at once.

    name: low-cardinality, the same for every user: it becomes `gen_ai.prompt.name` and a label.
    version: of the template, as its author counts; it becomes `gen_ai.prompt.version`.
    """

    __slots__ = ("_name", "_version")

    def __init__(self, name: str, version: str | int | None = None) -> None:
        self._name = str(name)
        self._version = None if version is None else str(version)

    def __enter__(self) -> None:
        current.set(Template(self._name, self._version, current.get()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        template = current.get()
        # Another one, or none, where an event loop closes somebody's generator in a context of its own.
        if template is not None and (template.name, template.version) == (self._name, self._version):
            current.set(template.outer)

    def __call__(self, function: Function) -> Function:
        if inspect.isasyncgenfunction(function):
            decorate = _async_generator_function
        elif inspect.isgeneratorfunction(function):
            decorate = _generator_function
        elif inspect.iscoroutinefunction(function):
            decorate = _coroutine_function
        else:
            decorate = _function
        return cast(Function, functools.wraps(function)(decorate(self, function)))


def _function(inside: prompt, function: Callable[..., Any]) -> Callable[..., Any]:
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with inside:
            return function(*args, **kwargs)

    return decorated


def _coroutine_function(inside: prompt, function: Callable[..., Any]) -> Callable[..., Any]:
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        with inside:
            return await function(*args, **kwargs)

    return decorated


# A generator runs in the context of whoever asks for its next value. The template is in force while
# the generator runs, and not in between: there the consumer makes calls of its own.


def _generator_function(inside: prompt, function: Callable[..., Any]) -> Callable[..., Any]:
    def decorated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        step, argument = generator.send, None
        while True:
            try:
                with inside:
                    value = step(argument)
            except StopIteration as end:
                return end.value
            try:
                step, argument = generator.send, (yield value)
            except GeneratorExit:
                with inside:
                    generator.close()
                raise
            except BaseException as error:
                step, argument = generator.throw, error

    return decorated


def _async_generator_function(inside: prompt, function: Callable[..., Any]) -> Callable[..., Any]:
    async def decorated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        step, argument = generator.asend, None
        while True:
            try:
                with inside:
                    value = await step(argument)
            except StopAsyncIteration:
                return
            try:
                step, argument = generator.asend, (yield value)
            except GeneratorExit:
                with inside:
                    await generator.aclose()
                raise
            except BaseException as error:
                step, argument = generator.athrow, error

    return decorated
