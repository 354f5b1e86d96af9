"""The contract's parameters: every subject, and every way of calling it; and a clock that no machine can disturb."""

import asyncio
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from subjects import SUBJECTS
from subjects.subject import Subject

from llmvitals import _call, _emit

Calling = tuple[Subject, Callable[[Any], Any]]


def _calling(parameter: tuple[Subject, str, Callable[[Any], Any]], arun: Callable[..., Any]) -> Calling:
    subject, _, style = parameter

    def call(clients: Any) -> Any:
        return arun(style(clients), clients) if inspect.iscoroutinefunction(style) else style(clients)

    return subject, call


def _ids(parameter: tuple[Subject, str, Any]) -> str:
    return f"{parameter[0]} - {parameter[1]}"


_WHOLE = [(subject, name, style) for subject in SUBJECTS for name, style in subject.whole.items()]
_STREAMED = [(subject, name, style) for subject in SUBJECTS for name, style in subject.streamed.items()]


@pytest.fixture(params=_WHOLE, ids=_ids)
def whole_call(request: pytest.FixtureRequest, arun: Callable[..., Any]) -> Calling:
    """Each API called in each way that gives its answer whole: the API, and what makes the call."""
    return _calling(request.param, arun)


@pytest.fixture(params=_STREAMED, ids=_ids)
def streamed_call(request: pytest.FixtureRequest, arun: Callable[..., Any]) -> Calling:
    """Each API called in each way that streams its answer: the API, and what makes the call."""
    return _calling(request.param, arun)


@pytest.fixture(params=[*_WHOLE, *_STREAMED], ids=_ids)
def any_call(request: pytest.FixtureRequest, arun: Callable[..., Any]) -> Calling:
    """Each API called in each way."""
    return _calling(request.param, arun)


def _each(holds: Callable[[Subject], Any]) -> Any:
    """A fixture that is each of the subjects for which something holds."""

    @pytest.fixture(params=[subject for subject in SUBJECTS if holds(subject)], ids=str)
    def fixture(request: pytest.FixtureRequest) -> Subject:
        return request.param

    return fixture


subject = _each(lambda s: True)
async_subject = _each(lambda s: s.awhole)
retrying = _each(lambda s: s.retrying is not None)
# Those that stream, and whose streams can be treated so, or tell so much.
streaming = _each(lambda s: s.open)
async_streaming = _each(lambda s: s.aopen)
closable = _each(lambda s: s.open and s.close)
async_closable = _each(lambda s: s.aopen and s.aclose)
closable_while_read = _each(lambda s: s.open and s.awaits_chunk)
async_closable_while_read = _each(lambda s: s.aopen and s.awaits_chunk)
with_helper = _each(lambda s: s.helper)
telling_usage = _each(lambda s: s.open and "output" in s.stream_tells)
reasoning = _each(lambda s: s.open and s.reasons)


@pytest.fixture
def call(arun: Callable[..., Any]) -> Callable[[Subject, Any], Any]:
    """Make a subject's plain call."""

    def plain(subject: Subject, clients: Any) -> Any:
        style = next(iter(subject.whole.values()))
        return arun(style(clients), clients) if asyncio.iscoroutinefunction(style) else style(clients)

    return plain


@pytest.fixture
def chunk_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes on by a second whenever it is read: once when the call starts, once for each chunk, once at its end.

    So every time that is told is a number of chunks, however late the machine gets to them.
    """
    readings = itertools.count()
    for module in (_emit, _call):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: next(readings) * 1_000_000_000)
