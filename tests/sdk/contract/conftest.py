"""The contract's parameters: every subject, and every way of calling it."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from subjects import SUBJECTS
from subjects.subject import Subject

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


@pytest.fixture(params=SUBJECTS, ids=str)
def subject(request: pytest.FixtureRequest) -> Subject:
    return request.param


@pytest.fixture(params=[subject for subject in SUBJECTS if subject.awhole], ids=str)
def async_subject(request: pytest.FixtureRequest) -> Subject:
    return request.param


@pytest.fixture(params=[subject for subject in SUBJECTS if subject.open], ids=str)
def streaming(request: pytest.FixtureRequest) -> Subject:
    """Each API that streams."""
    return request.param


@pytest.fixture(params=[subject for subject in SUBJECTS if subject.aopen], ids=str)
def async_streaming(request: pytest.FixtureRequest) -> Subject:
    """Each API that streams to async apps."""
    return request.param


@pytest.fixture(params=[subject for subject in SUBJECTS if subject.open and subject.close], ids=str)
def closable(request: pytest.FixtureRequest) -> Subject:
    """Each API whose streams can be closed."""
    return request.param


@pytest.fixture(params=[subject for subject in SUBJECTS if subject.aopen and subject.aclose], ids=str)
def async_closable(request: pytest.FixtureRequest) -> Subject:
    """Each API whose asynchronous streams can be closed."""
    return request.param


@pytest.fixture
def call(arun: Callable[..., Any]) -> Callable[[Subject, Any], Any]:
    """Make a subject's plain call."""

    def plain(subject: Subject, clients: Any) -> Any:
        style = next(iter(subject.whole.values()))
        return arun(style(clients), clients) if asyncio.iscoroutinefunction(style) else style(clients)

    return plain
