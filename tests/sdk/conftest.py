"""What the tests of the SDK share: the spans that come out, and loopback providers to call."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import llmvitals
from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider

os.environ["LLMVITALS_STRICT"] = "1"  # a fault of ours fails the test, where an app would never see it

PATIENCE = 20  # seconds that a wait may take

_SPANS = InMemorySpanExporter()
_EVENTS = InMemoryLogRecordExporter()


@pytest.fixture(scope="session", autouse=True)
def telemetry() -> None:
    """The app's own OpenTelemetry providers; they can be set once in a process."""
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(_SPANS))
    trace.set_tracer_provider(tracer_provider)
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(_EVENTS))
    _logs.set_logger_provider(logger_provider)


@pytest.fixture
def instrumented() -> Iterator[None]:
    llmvitals.instrument()
    yield
    llmvitals.uninstrument()


@pytest.fixture
def unsampled() -> contextlib.AbstractContextManager[Any]:
    """A block in a trace that is not sampled."""
    parent = trace.NonRecordingSpan(trace.SpanContext(1, 1, is_remote=True))
    return trace.use_span(parent)


@pytest.fixture
def spans(instrumented: None) -> Iterator[Callable[[], list]]:
    """The spans of the calls that have ended so far."""
    _SPANS.clear()
    yield lambda: [span for span in _SPANS.get_finished_spans() if span.instrumentation_scope.name == "llmvitals"]
    _SPANS.clear()


@pytest.fixture
def span(spans: Callable[[], list]) -> Callable[[], Any]:
    """`span()` is the one span that has ended."""

    def one() -> Any:
        (only,) = spans()
        return only

    return one


@pytest.fixture
def ended(spans: Callable[[], list]) -> Callable[..., Any]:
    """`ended(ending, status)` is the one span, once its call has ended so: that may be told by another thread."""

    def await_end(ending: str, status: StatusCode = StatusCode.UNSET) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not spans() and time.monotonic() < deadline:
            time.sleep(0.005)
        (span,) = spans()
        assert span.attributes[semconv.STREAM_ENDING] == ending
        assert span.status.status_code is status
        return span

    return await_end


@pytest.fixture
def every_span(spans: object) -> Callable[[], list]:
    """The spans that have ended so far, also those that are not ours."""
    return lambda: list(_SPANS.get_finished_spans())


@pytest.fixture
def events(instrumented: None) -> Iterator[Callable[[], list]]:
    """The log records that were emitted so far."""
    _EVENTS.clear()
    yield lambda: [finished.log_record for finished in _EVENTS.get_finished_logs()]
    _EVENTS.clear()


class Loopback(Provider):
    """One provider for all tests, because starting and stopping takes longer than most of them."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.requests: list[dict[str, Any]] = []
        super().__init__(self._behave)

    def _behave(self, request: dict[str, Any]) -> Behaviour:
        self.requests.append(request)
        return self.behaviour


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    with Loopback() as provider:
        yield provider


class Clients:
    """The real clients, sync and async, of one loopback provider; each is made when it is first asked for.

    Without the certificates that no loopback needs and that take 50 ms to load.
    """

    def __init__(self, provider: Loopback, **options: object) -> None:
        self.provider = provider
        self._options = {"api_key": "any", "max_retries": 0, **options}
        self._made: dict[Callable[..., Any], Any] = {}

    @functools.cached_property
    def openai(self) -> openai.OpenAI:
        return self._make(openai.OpenAI, openai.DefaultHttpxClient, "/v1")

    @functools.cached_property
    def async_openai(self) -> openai.AsyncOpenAI:
        return self._make(openai.AsyncOpenAI, openai.DefaultAsyncHttpxClient, "/v1")

    @functools.cached_property
    def anthropic(self) -> anthropic.Anthropic:
        return self._make(anthropic.Anthropic, anthropic.DefaultHttpxClient)

    @functools.cached_property
    def async_anthropic(self) -> anthropic.AsyncAnthropic:
        return self._make(anthropic.AsyncAnthropic, anthropic.DefaultAsyncHttpxClient)

    def _make(self, client: Any, http_client: Any, path: str = "") -> Any:
        return client(base_url=self.provider.url + path, http_client=http_client(verify=False), **self._options)

    def get(self, make: Callable[..., Any]) -> Any:
        """The client that `make(url, **options)` makes, made once; url is the provider's, without a path."""
        if make not in self._made:
            self._made[make] = make(self.provider.url, **self._options)
        return self._made[make]

    def close(self) -> None:
        for name in ("openai", "anthropic"):
            if name in vars(self):
                getattr(self, name).close()
        for client in self._made.values():
            if not inspect.iscoroutinefunction(getattr(client, "close", None)) and hasattr(client, "close"):
                client.close()

    async def aclose(self) -> None:
        for name in ("async_openai", "async_anthropic"):
            if name in vars(self):
                await vars(self).pop(name).close()
        for make, client in list(self._made.items()):
            close = getattr(client, "aclose", None) or getattr(client, "close", None)
            if inspect.iscoroutinefunction(close):
                del self._made[make]
                await close()


@pytest.fixture
def clients(loopback: Loopback) -> Iterator[Callable[..., Clients]]:
    """The clients of a loopback provider that behaves as given."""
    made: list[Clients] = []

    def make(behaviour: Behaviour | None = None, **options: object) -> Clients:
        loopback.behaviour = behaviour or Behaviour()
        loopback.served.clear()
        loopback.requests.clear()
        made.append(Clients(loopback, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def arun() -> Callable[..., Any]:
    """Run a coroutine that uses async clients to its end, and close them in its own loop."""

    def run(coroutine: Coroutine[Any, Any, Any], clients: Clients) -> Any:
        async def main() -> Any:
            try:
                return await coroutine
            finally:
                await clients.aclose()

        return asyncio.run(main())

    return run
