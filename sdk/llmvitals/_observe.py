"""Calls of models that no client library shows: what the app itself tells of them."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from numbers import Integral
from typing import Any, NamedTuple, TypeVar, cast

import wrapt
from opentelemetry import context
from opentelemetry.context import Context, get_current, set_value

from llmvitals import _call, _streams, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Adapter, Answer, Operation, response_ids
from llmvitals._around import Around
from llmvitals._call import Call, Unrecorded
from llmvitals._emit import Request, Started
from llmvitals._feedback import check_member
from llmvitals._funnel import Funnel
from llmvitals._generators import WatchedAsyncGenerator, WatchedGenerator
from llmvitals._guard import Guard

Function = TypeVar("Function", bound=Callable[..., Any])

_OBSERVED = context.create_key("llmvitals.observe")


class _Reasoning(NamedTuple):
    """A piece of an answer that is reasoning."""

    piece: Any


def _fold(answer: Answer, piece: Any) -> int:
    """A text or a token is a part of the answer; any other object may have the response's id, too."""
    if isinstance(piece, _Reasoning):
        answer.reasoning_seen = True
        return REASONING if piece.piece else NOTHING
    if isinstance(piece, str | bytes):
        return ANSWER if piece else NOTHING
    if piece is None:
        return NOTHING
    if answer.id is None:
        answer.id = next(response_ids(piece), None)
    return ANSWER


_OPERATIONS = {name: Operation(name, parameters=lambda _: {}, fold=_fold, input=()) for name in semconv.CALL_OPERATIONS}


class ObservedCall:
    """What the app tells of its call while it is made. Nothing here raises; what comes after its end is not heard."""

    __slots__ = ("_call",)

    def __init__(self, call: Call | Unrecorded | None) -> None:
        self._call = call

    def chunk(self, piece: Any, *, reasoning: bool = False) -> None:
        """A chunk of a streamed answer has come: the first one that is not empty is the first token.

        piece: its text, token, or whatever the model gives; it is looked at, and not kept.
        reasoning: whether the model thinks aloud in it, rather than answers.
        """
        call = self._call
        if isinstance(call, Call):
            with Guard("counting a chunk"):
                call.chunk(_Reasoning(piece) if reasoning else piece)

    def usage(
        self,
        *,
        input: int | None = None,
        output: int | None = None,
        cache_read: int | None = None,
        cache_write: int | None = None,
        reasoning: int | None = None,
    ) -> None:
        """The tokens that the call used; what is not known is left out, what is told again replaces.

        input: all input tokens, of which cache_read and cache_write are parts.
        output: all output tokens, of which reasoning is a part.
        Anything but whole numbers from 0 is logged, and none of what came with it is taken.
        """
        told = {"input": input, "output": output, "cache_read": cache_read}
        told |= {"cache_write": cache_write, "reasoning": reasoning}
        counts = {name: count for name, count in told.items() if count is not None}
        with Guard("observe", arguments=True):
            for name, count in counts.items():
                if not isinstance(count, Integral) or count < 0:
                    raise ValueError(f"usage: {name} {count!r} is no number of tokens: a whole number from 0")
            if isinstance(self._call, Call):
                answer = self._call.answer
                answer.usage = replace(answer.usage, **counts)

    def response(
        self,
        *,
        id: str | None = None,
        model: str | None = None,
        finish_reason: str | None = None,
        error: str | None = None,
    ) -> None:
        """What the answer says of itself.

        id: of the response; feedback finds the call by it.
        model: that has answered, where it is known better than the one asked for.
        finish_reason: why it ended, in the conventions' words where they fit: stop, length, content_filter, tool_call.
        error: a low-cardinality code, where the answer itself says that it failed; an exception is seen without it.
        """
        with Guard("observe"):
            if isinstance(self._call, Call):
                answer = self._call.answer
                for name, value in (("id", id), ("model", model), ("error", error)):
                    if value is not None:
                        setattr(answer, name, str(value))
                if finish_reason is not None:
                    answer.finish_reasons[0] = str(finish_reason)
            elif self._call is not None and id is not None:
                self._call.chunk(Answer(id=str(id)))


class _App(Funnel):
    """The app as its own client: what it calls is the request, and what comes back is the answer."""

    def __init__(self, provider: str, operation: str, model: str) -> None:
        super().__init__(Adapter(provider, module=f"observe({provider!r})", operations={}, install=lambda *_: ()))
        self._request = Request(_OPERATIONS[operation], {"model": model})

    def surface(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The wrapper that goes with the kind of `function`."""
        if inspect.isasyncgenfunction(function):
            return functools.partial(self._generate, WatchedAsyncGenerator)
        if inspect.isgeneratorfunction(function):
            return functools.partial(self._generate, WatchedGenerator)
        return self.acall if inspect.iscoroutinefunction(function) else self.call

    def request(self, _instance: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Request:
        return self._request

    def start(self) -> Started | None:
        """A call that starts now; None when it is suppressed, or inside of another and the same."""
        return self._start(None, (), {})

    def _start(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Started | None:
        started = super()._start(instance, args, kwargs)
        if started is None:
            return None
        return started._replace(context=set_value(_OBSERVED, ObservedCall(started.call), started.context))

    def observe(self, call: Call | Unrecorded, result: Any) -> Any:
        if hasattr(result, "__next__"):
            _call.end_dropped_calls()
            return _streams.WatchedIterator(result, call)
        if hasattr(result, "__anext__"):
            _call.end_dropped_calls()
            return _streams.WatchedAsyncIterator(result, call)
        if inspect.isawaitable(result):
            return self._awaited(call, result)
        call.answered(result)
        return result

    async def _awaited(self, call: Call | Unrecorded, result: Awaitable[Any]) -> Any:
        try:
            answer = await result
        except BaseException as error:
            call.failed(error)
            raise
        return self._observed(call, answer)

    def _generate(
        self, watched: Callable[..., Any], wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any
    ) -> Any:
        return self._lazily(watched, wrapped(*args, **kwargs), instance, args, kwargs)


@functools.lru_cache(maxsize=256)
def _app(provider: str, operation: str, model: str) -> _App:
    """One for all blocks that say the same: they are made anew for each call, and its fuse must see them all."""
    return _App(provider, operation, model)


class _Block(ObservedCall):
    """The call of a block, which ends with it."""

    __slots__ = ()

    def end(self, error: BaseException | None) -> None:
        call = self._call
        if call is None:
            return
        if error is None:
            call.answered(None)
        elif isinstance(error, GeneratorExit):
            call.closed()
        else:
            call.failed(error)


class _ObservedFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # wrapt 1 has none
    """A function that passes for the one it wraps, so that frameworks see a generator function as one."""

    def __reduce_ex__(self, _protocol: Any) -> str:
        return str(self.__qualname__)  # pickled by its name, as functions are


class observe(Around[ObservedCall]):  # noqa: N801 - used as a function is, and named as one
    """Observe calls of a model whose client llmvitals does not know: the same span as of any other call.

    As a decorator of a function, a coroutine function, a generator function or an async one, each run of which
    is one call; what a generator yields are the chunks of its answer, and so are those of an iterator that is
    returned. What else is known is told to `observe.current()`:

        @llmvitals.observe(model="my-llm", provider="acme")
        def ask(question):
            answer = generate(question)
            llmvitals.observe.current().usage(input=answer.prompt_tokens, output=answer.new_tokens)
            return answer.text

    Or as a context manager around one call, which it hands out to be told:

        with llmvitals.observe(model="my-llm", provider="acme") as call:
            for token in generate(question):
                call.chunk(token)

    Not around a `yield`: a block is in force for the generator's consumer, too. Calls of a known client inside are
    the same call, and get no span of their own.

    model, provider: `gen_ai.request.model` and `gen_ai.provider.name`, low-cardinality: both are labels.
    operation: one of `llmvitals.semconv.CALL_OPERATIONS`.
    Other values are logged, and nothing is observed; they do not raise, except under LLMVITALS_STRICT=1.

    https://github.com/open-telemetry/semantic-conventions-genai, inference spans.
    """

    __slots__ = ("_app",)

    def __init__(self, *, model: str, provider: str, operation: str = semconv.CHAT) -> None:
        super().__init__()
        self._app: _App | None = None
        with Guard("observe", arguments=True):
            check_member("observe: operation", operation, semconv.CALL_OPERATIONS)
            for name, value in (("model", model), ("provider", provider)):
                if not isinstance(value, str) or not value:
                    raise ValueError(f"observe: {name} {value!r} is no name: give a text that is not empty")
            self._app = _app(provider, operation, model)

    @staticmethod
    def current() -> ObservedCall:
        """The call in which the caller runs; outside of any, one that takes every word and keeps none."""
        found = context.get_value(_OBSERVED)
        return found if isinstance(found, ObservedCall) else ObservedCall(None)

    def begin(self) -> tuple[ObservedCall, Context]:
        started = self._app.start() if self._app is not None else None
        if started is None:  # then the call around this one, if there is one, is to be told
            return self.current(), get_current()
        return _Block(started.call), started.context

    def end(self, inside: ObservedCall, error: BaseException | None) -> None:
        if isinstance(inside, _Block):
            inside.end(error)

    def __call__(self, function: Function) -> Function:
        if self._app is None:
            return function
        return cast(Function, _ObservedFunction(function, self._app.surface(function)))
