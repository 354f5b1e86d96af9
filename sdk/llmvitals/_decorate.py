"""Decorators of functions of every kind, which stay of their kind: something is in force while their code runs."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

Around = Callable[[], AbstractContextManager[AbstractContextManager[object]]]
"""Gives what is around one run of a function, from its start to its end; entered, it gives what is in force inside.

The second is entered for each step of a generator, which runs in the context of whoever asks for its
next value: between two steps the consumer does things of its own.
"""


def decorate(function: Function, around: Around) -> Function:
    """`function`, be it one, a coroutine function, a generator function or an async one, with `around()` around it."""
    if inspect.isasyncgenfunction(function):
        decorator = _async_generator_function
    elif inspect.isgeneratorfunction(function):
        decorator = _generator_function
    elif inspect.iscoroutinefunction(function):
        decorator = _coroutine_function
    else:
        decorator = _function
    return cast(Function, functools.wraps(function)(decorator(function, around)))


def _function(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with around() as inside, inside:
            return function(*args, **kwargs)

    return decorated


def _coroutine_function(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        with around() as inside, inside:
            return await function(*args, **kwargs)

    return decorated


def _generator_function(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    def decorated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        step, argument = generator.send, None
        with around() as inside:
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


def _async_generator_function(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    async def decorated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        step, argument = generator.asend, None
        with around() as inside:
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
