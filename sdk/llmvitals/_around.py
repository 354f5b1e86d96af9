"""Blocks of the app's own code with a span around them, which is current inside and told how they end."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Generic, TypeVar

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import Span, SpanKind, get_current_span, set_span_in_context

from llmvitals import _export, _nesting, _prompt, semconv
from llmvitals._adapter import Attribute
from llmvitals._guard import Guard

Inside = TypeVar("Inside")

_NAME = re.compile(r"[A-Za-z][\w./-]{0,63}", re.ASCII)


class _Entered(Generic[Inside]):
    """One entering of a block: what the app was handed, the context inside, and the one outside."""

    __slots__ = ("inside", "outer", "within")

    def __init__(self, inside: Inside, within: Context, outer: Context) -> None:
        self.inside = inside
        self.within = within
        self.outer = outer


class Around(ABC, Generic[Inside]):
    """A context manager that may be entered again, and by several threads and tasks at once.

    Each entering has an `Inside` of its own, which the app is handed. Neither entering nor leaving raises.
    """

    __slots__ = ("_entered",)

    def __init__(self) -> None:
        self._entered: list[_Entered[Inside]] = []

    @abstractmethod
    def begin(self) -> tuple[Inside, Context]:
        """What the app is handed, and the context that is to be current inside; does not raise."""

    @abstractmethod
    def end(self, inside: Inside, error: BaseException | None) -> None:
        """The block is left, by an exception or without one; may raise."""

    def __enter__(self) -> Inside:
        outer = get_current()
        inside, within = self.begin()
        self._entered.append(_Entered(inside, within, outer))
        attach(within)
        return inside

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with Guard("leaving a block"):
            here = get_current()
            # The last one where none is current: frameworks may leave a block in another context, or thread,
            # than they have entered it in (FastAPI its dependencies, an event loop a dropped generator).
            entered = next((each for each in reversed(self._entered) if each.within is here), self._entered[-1])
            self._entered.remove(entered)
            attach(entered.outer)  # not `detach`, whose token is of the context in which the block was entered
            self.end(entered.inside, error)


class Current:
    """Makes a context the current one, and may be entered again: for each step of a generator."""

    __slots__ = ("_outer", "_within")

    def __init__(self, within: Context) -> None:
        self._within = within

    def __enter__(self) -> None:
        self._outer = get_current()
        attach(self._within)

    def __exit__(self, *raised: object) -> None:
        attach(self._outer)  # not `detach`: a generator may be closed in another context than it was begun in


def start_span(name: str, attributes: Mapping[str, Attribute]) -> tuple[Span, Context]:
    """An INTERNAL span that starts now, with the prompt template in force, and the context in which it is current."""
    current = get_current()
    template = _prompt.current.get()
    if template is not None:
        attributes = {**attributes, semconv.PROMPT_NAME: template.name}
        if template.version is not None:
            attributes[semconv.PROMPT_VERSION] = template.version
    span = _export.tracer().start_span(name, current, SpanKind.INTERNAL, attributes)
    _nesting.carry_tracestate(get_current_span(current), span)
    return span, set_span_in_context(span, current)


def check_name(what: str, name: object) -> None:
    """Raise ValueError unless `name` is one that may become the value of a label."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{what} {name!r} is no name: up to 64 letters, digits, `_`, `.`, `/` and `-`, a letter first")
