"""What a user set out to do, and whether it was done: one span around the calls that it took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from opentelemetry import context
from opentelemetry.context import Context, get_current, set_value
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode

from llmvitals import _measure, semconv
from llmvitals._adapter import Attribute
from llmvitals._around import Around, Current, check_name, start_span
from llmvitals._call import CANCELLATIONS
from llmvitals._decorate import decorate
from llmvitals._guard import Guard

Function = TypeVar("Function", bound=Callable[..., Any])

_TASK = context.create_key("llmvitals.task")


class Task:
    """One run of a task, whose outcome the app tells. The last word counts; nothing here raises."""

    __slots__ = ("_ended", "_mode", "_outcome", "_span")

    def __init__(self, span: Span = INVALID_SPAN) -> None:
        self._span = span
        self._outcome: str | None = None
        self._mode: str | None = None
        self._ended = False

    def completed(self) -> None:
        """The user has what they came for."""
        self._tell(semconv.COMPLETED)

    def failed(self, mode: str) -> None:
        """The user has not got it, in this way.

        mode: the same for every user ("wrong_tool", "no_answer"): up to 64 letters, digits, `_ . / -`. Any
            other is logged, and told as "other".
        """
        told = semconv.OTHER
        with Guard("task", arguments=True):
            check_name("failure mode", mode)
            told = mode
        self._tell(semconv.FAILED, told)

    def abandoned(self) -> None:
        """The user has given up, or gone away."""
        self._tell(semconv.ABANDONED)

    def _tell(self, outcome: str, mode: str | None = None) -> None:
        with Guard("task", arguments=True):
            if self._ended:
                raise ValueError(f"a task that has ended was told to be {outcome}: tell it inside its block")
            self._outcome, self._mode = outcome, mode

    def _end(self, error: BaseException | None) -> None:
        """End the span: with what the app has told, or else with what `error` tells."""
        self._ended = True
        attributes: dict[str, Attribute] = {}
        if self._outcome is None:
            self._outcome = _outcome_of(error)
            if self._outcome == semconv.FAILED and error is not None:
                self._mode = attributes[semconv.ERROR_TYPE] = _measure.error_type(error)
        attributes[semconv.TASK_OUTCOME] = self._outcome
        if self._mode is not None:
            attributes[semconv.TASK_FAILURE_MODE] = self._mode
        self._span.set_attributes(attributes)
        if self._outcome == semconv.FAILED:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _outcome_of(error: BaseException | None) -> str:
    if error is None:
        return semconv.UNKNOWN
    return semconv.ABANDONED if isinstance(error, CANCELLATIONS) else semconv.FAILED


class task(Around[Task]):  # noqa: N801 - used as a function is, and named as one
    """Measure a unit of the user's work: how long it takes, and whether it is completed, fails or is abandoned.

        with llmvitals.task("refund-request") as task:
            ...
            task.completed()

    As a context manager, or as a decorator of a function, a coroutine function, a generator function or an
    async one, where `task.current()` is the task to tell. Calls made inside are children of its span, whose
    duration is the task's.

    name: the same for every user: up to 64 letters, digits, `_ . / -`, a letter first; it becomes
        `llmvitals.task.name` and a label. Any other is logged, and the task is not measured; it does not
        raise, except under LLMVITALS_STRICT=1.

    An exception that leaves the block is a failure, its type the mode; where it is a cancellation, or the
    closing of a generator, the task is abandoned. What the app has told stands, whatever leaves the block.
    A block that is left without a word is `unknown`: it has run, but only the app knows whether its user was
    helped, so it counts neither way.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name: str | None = None
        with Guard("task", arguments=True):
            check_name("task", name)
            self._name = name

    @staticmethod
    def current() -> Task:
        """The task in which the caller runs; outside of any, one that takes every word and keeps none."""
        found = context.get_value(_TASK)
        return found if isinstance(found, Task) else Task()

    def begin(self) -> tuple[Task, Context]:
        if self._name is not None:
            with Guard("starting a task"):
                span, within = start_span(f"task {self._name}", {semconv.TASK_NAME: self._name})
                started = Task(span)
                return started, set_value(_TASK, started, within)
        return Task(), get_current()

    def end(self, inside: Task, error: BaseException | None) -> None:
        inside._end(error)

    def __call__(self, function: Function) -> Function:
        return decorate(function, self._run)

    @contextmanager
    def _run(self) -> Iterator[Current]:
        """Around one run of a decorated function; what it gives is in force while the function's own code runs."""
        started, within = self.begin()
        error: BaseException | None = None
        try:
            yield Current(within)
        except BaseException as raised:
            error = raised
            raise
        finally:
            with Guard("ending a task"):
                self.end(started, error)
