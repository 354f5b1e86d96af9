"""Lookups in the app's own cache of responses: hit or miss, how long they take, and what a hit saves."""

import functools
import inspect
from collections.abc import Callable
from numbers import Real
from typing import Any, TypeVar, cast

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode

from llmvitals import _measure, _recent, semconv
from llmvitals._adapter import Attribute, response_ids
from llmvitals._around import Around, check_name, start_span
from llmvitals._call import CANCELLATIONS
from llmvitals._guard import Guard
from llmvitals._recent import Recent

Function = TypeVar("Function", bound=Callable[..., Any])


class Lookup:
    """One lookup, whose outcome the app tells, once; nothing here raises."""

    __slots__ = ("_name", "_span", "_told")

    def __init__(self, name: str | None, span: Span = INVALID_SPAN) -> None:
        self._name = name
        self._span = span
        self._told = False

    def hit(
        self,
        response: Any = None,
        *,
        seconds: float | None = None,
        input: int | None = None,
        output: int | None = None,
    ) -> None:
        """The cache has the response; the lookup ends.

        response: what was found: a client's response, or its id. If it is of one of this process's last 4096
            calls, what that took is what the hit saves.
        seconds, input, output: what the call took, and its tokens, where the app has stored them with the response.
        """
        saved: dict[str, Attribute] = {}
        with Guard("cache", arguments=True):
            saved = _saved(seconds, input, output)
            spent = _find(response) if self._span.is_recording() else None
            if spent is not None and spent.usage is not None:
                self._span.add_link(spent.span)
                saved = _saved(spent.seconds, spent.usage.input, spent.usage.output) | saved
        self._tell(semconv.HIT, saved)

    def miss(self) -> None:
        """The cache has no response; the lookup ends. A call made inside the block is a child of its span."""
        self._tell(semconv.MISS, {})

    def _tell(self, outcome: str, saved: dict[str, Attribute]) -> None:
        with Guard("cache", arguments=True):
            if self._told:
                raise ValueError(f"cache {self._name!r}: a lookup is told once, {outcome!r} came second")
            self._told = True
            self._span.set_attributes({semconv.CACHE_OUTCOME: outcome, **saved})
            self._span.end()

    def _end(self, error: BaseException | None) -> None:
        """The block is left: what was not told by now is not known."""
        if self._told:
            return
        self._told = True
        if error is not None and not isinstance(error, CANCELLATIONS):
            self._span.set_attribute(semconv.ERROR_TYPE, _measure.error_type(error))
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _find(response: Any) -> Recent | None:
    """The call that gave `response`, where it is remembered, and what it took."""
    for response_id in [response] if isinstance(response, str) else response_ids(response):
        spent = _recent.find(response_id)
        if spent is not None and spent.usage is not None:
            return spent
    return None


def _saved(seconds: float | None, input: int | None, output: int | None) -> dict[str, Attribute]:
    told = {
        semconv.CACHE_SAVED_DURATION: seconds,
        semconv.CACHE_SAVED_INPUT_TOKENS: input,
        semconv.CACHE_SAVED_OUTPUT_TOKENS: output,
    }
    for name, value in told.items():
        if value is not None and not (isinstance(value, Real) and value >= 0):
            raise ValueError(f"cache hit: {name} {value!r} is no number from 0")
    return {name: value for name, value in told.items() if value is not None}


class cache(Around[Lookup]):  # noqa: N801 - used as a function is, and named as one
    """Measure a lookup in the app's own cache of responses.

        with llmvitals.cache("answers") as lookup:
            answer = store.get(question)
            if answer is not None:
                lookup.hit(answer)
            else:
                lookup.miss()
                answer = store[question] = ask(question)

    Or as a decorator of the function, or coroutine function, that looks up: what it returns is a hit, None is a
    miss. The lookup's span ends when its outcome is told, so its duration is the lookup's alone; it stays
    current to the end of the block, so that the call after a miss is in its trace. A block left without a
    word has no outcome; by an exception, it has the exception's type.

    name: of the cache, low-cardinality: up to 64 letters, digits, `_ . / -`, a letter first; it becomes
        `llmvitals.cache.name` and a label. Any other is logged, and nothing is measured; it does not raise,
        except under LLMVITALS_STRICT=1.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name: str | None = None
        with Guard("cache", arguments=True):
            check_name("cache", name)
            self._name = name

    def begin(self) -> tuple[Lookup, Context]:
        if self._name is not None:
            with Guard("starting a lookup"):
                span, within = start_span(f"cache {self._name}", {semconv.CACHE_NAME: self._name})
                return Lookup(self._name, span), within
        return Lookup(None), get_current()

    def end(self, inside: Lookup, error: BaseException | None) -> None:
        inside._end(error)

    def __call__(self, function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            async def alook_up(*args: Any, **kwargs: Any) -> Any:
                with self as lookup:
                    found = await function(*args, **kwargs)
                    _tell_found(lookup, found)
                return found

            return cast(Function, functools.wraps(function)(alook_up))

        def look_up(*args: Any, **kwargs: Any) -> Any:
            with self as lookup:
                found = function(*args, **kwargs)
                _tell_found(lookup, found)
            return found

        return cast(Function, functools.wraps(function)(look_up))


def _tell_found(lookup: Lookup, found: Any) -> None:
    if found is None:
        lookup.miss()
    else:
        lookup.hit(found)
