"""The prompt template that the calls inside belong to."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from llmvitals import semconv
from llmvitals._content import mode_named
from llmvitals._decorate import decorate
from llmvitals._guard import Guard

if TYPE_CHECKING:
    from llmvitals.evaluators.evaluator import Instructions

Function = TypeVar("Function", bound=Callable[..., Any])


Variables = Mapping[str, Any] | None


class Template(NamedTuple):
    """Name and version of a prompt template, as they stand on a span, and the template around it.

    content: one of semconv.CONTENT_MODES, None where neither this template nor one around it says.
    variables: what the template was filled with.
    instructions: what it asks of every answer; those around it count for their own calls only.
    """

    name: str
    version: str | None
    outer: "Template | None" = None
    content: str | None = None
    variables: Variables = None
    instructions: "Instructions | None" = None


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
    content: whether the content of these calls is captured: "no_content", "span_only", "event_only" or
        "span_and_event". None is what a `prompt` around this one says, or `instrument()`. Another value
        is logged, and nothing is captured; under LLMVITALS_STRICT=1 it raises.
    variables: what the template was filled with; the first 32 become `gen_ai.prompt.variable.NAME`, as text, where
        content is captured, and nothing else.
    instructions: what the template asks of every answer, which is then checked in the app, also where
        `instrument(checks=...)` asks for none: of the answer only verdicts go out. Best made once, not for each call.
    """

    __slots__ = ("_content", "_instructions", "_name", "_variables", "_version")

    def __init__(
        self,
        name: str,
        version: str | int | None = None,
        *,
        content: str | None = None,
        variables: Variables = None,
        instructions: "Instructions | None" = None,
    ) -> None:
        self._name = str(name)
        self._version = None if version is None else str(version)
        self._content = None if content is None else semconv.NO_CONTENT
        self._variables: Variables = None
        self._instructions: Instructions | None = None
        with Guard("prompt", arguments=True):
            if content is not None:
                self._content = mode_named(content)
            if variables is not None:
                self._variables = dict(variables)  # the app may go on with its own
            if instructions is not None:
                self._instructions = _checked(instructions)

    def __enter__(self) -> None:
        outer = current.get()
        content = self._content or (outer.content if outer else None)
        current.set(Template(self._name, self._version, outer, content, self._variables, self._instructions))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        template = current.get()
        # Another one, or none, where an event loop closes somebody's generator in a context of its own.
        if template is not None and (template.name, template.version) == (self._name, self._version):
            current.set(template.outer)

    def __call__(self, function: Function) -> Function:
        return decorate(function, lambda: nullcontext(self))


def _checked(instructions: Any) -> "Instructions":
    from llmvitals.evaluators.evaluator import Instructions  # few apps declare any, and the others are not to wait

    if not isinstance(instructions, Instructions):
        given = type(instructions).__name__
        raise TypeError(f"prompt: instructions is a {given}; it is to be llmvitals.Instructions(max_words=80, ...)")
    return instructions
