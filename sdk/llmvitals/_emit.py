"""From a call to its one span: the only module that records telemetry of calls."""

import functools
from time import perf_counter_ns, time_ns
from typing import NamedTuple

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, get_current_span

from llmvitals import _capture, _checks, _export, _measure, _metrics, _nesting, _prompt, _recent, semconv
from llmvitals._adapter import Answer, Attribute, Body, Operation, provider_at
from llmvitals._call import Call, Unrecorded
from llmvitals._guard import Fuse, Guard

_MESSAGE_LIMIT = 256  # characters of an error's message; providers quote whole requests in theirs, and keys


class Request(NamedTuple):
    """One request to a provider: what it asks for, and where it goes.

    provider: `gen_ai.provider.name`, where the client says it; None: who answers at the host, or the adapter's.
    """

    operation: Operation
    body: Body
    host: str | None = None
    port: int | None = None
    provider: str | None = None


class Started(NamedTuple):
    """A call that has started, and the context in which the client is to make it."""

    call: Call | Unrecorded
    context: Context


def start(provider: str, request: Request, fuse: Fuse) -> Started | None:
    """A call that starts now, with its CLIENT span; None when it is none of ours to observe.

    All that samplers may look at is on the span from the start; the rest comes with its end.
    https://github.com/open-telemetry/semantic-conventions-genai, inference spans.
    """
    operation = request.operation
    current = get_current()
    if _nesting.is_observed(current, operation.name):
        return None
    started_at, started = time_ns(), perf_counter_ns()
    identity = _identity(request.provider or provider_at(request.host, provider), request)
    parent = get_current_span(current)
    foreign = _nesting.is_span_of(parent, operation.name)
    span = parent if foreign else _start_span(current, identity, request, started_at)
    if not foreign and parent is not INVALID_SPAN:
        _nesting.carry_tracestate(parent, span)
    if not span.is_recording() and not _metrics.enabled():
        remember = functools.partial(_recent.remember, span=span.get_span_context(), identity=identity)
        unrecorded = Unrecorded(operation.name, remember)
        return Started(unrecorded, _nesting.around(current, span, unrecorded))
    record = (_Guest if foreign else _Record)(span, identity)
    call = Call(operation.name, operation.fold, record.end, fuse, started_at, started)
    with Guard("reading a request"):
        record.read(request, call.answer)
    return Started(call, _nesting.around(current, span, call))


def _identity(provider: str, request: Request) -> dict[str, Attribute]:
    """What tells one kind of call from another; its feedback carries the same, so that nobody has to join."""
    operation = request.operation
    attributes: dict[str, Attribute] = {semconv.OPERATION_NAME: operation.name, semconv.PROVIDER_NAME: provider}
    model = operation.model(request.body)
    if model is not None:
        attributes[semconv.REQUEST_MODEL] = model
    template = _prompt.current.get()
    named = template[:2] if template else operation.template and operation.template(request.body)
    if named:
        attributes[semconv.PROMPT_NAME], version = named
        if version is not None:
            attributes[semconv.PROMPT_VERSION] = version
    return attributes


def _start_span(current: Context, identity: dict[str, Attribute], request: Request, started_at: int) -> Span:
    attributes = dict(identity)
    if request.operation.streamed(request.body):
        attributes[semconv.REQUEST_STREAM] = True
    if request.host:
        attributes[semconv.SERVER_ADDRESS] = request.host
        if request.port:
            attributes[semconv.SERVER_PORT] = request.port
    operation, model = request.operation.name, identity.get(semconv.REQUEST_MODEL)
    name = f"{operation} {model}" if model else operation
    return _export.tracer().start_span(name, current, SpanKind.CLIENT, attributes, start_time=started_at)


class _Record:
    """What is to be said of one call in its own span, when it ends."""

    __slots__ = ("_attributes", "_capture", "_checks", "_identity", "_span")

    def __init__(self, span: Span, identity: dict[str, Attribute]) -> None:
        self._span = span
        self._identity = identity
        self._attributes: dict[str, Attribute] = {}
        self._capture: _capture.Capture | None = None
        self._checks: _checks.Checks | None = None

    def read(self, request: Request, answer: Answer) -> None:
        """Take from the request what the span is to have: its parameters, its size and, opted in, its content."""
        if not self._span.is_recording():
            return
        operation, body = request.operation, request.body
        self._attributes = operation.parameters(body) | _measure.input_size(body, operation.input)
        self._listen(request, answer, _capture.wanted())

    def _listen(self, request: Request, answer: Answer, mode: str | None) -> None:
        """Keep what is said, where it is captured or checked; mode: of semconv.CONTENT_MODES, None for no capture."""
        operation, body = request.operation, request.body
        checks = () if operation.name == semconv.EMBEDDINGS else _checks.wanted()
        if operation.content is None or not (mode or checks):
            return
        content, answer.transcript = operation.content(body), _capture.transcript()
        if mode:
            self._capture = _capture.Capture(mode, content)
        if checks:
            self._checks = _checks.Checks(checks, content, operation.parameters(body))

    def end(self, call: Call, ending: str, at: int, error: BaseException | None) -> None:
        """End the span with all that is known; at: `perf_counter_ns` of its end. Whatever fails, it ends."""
        error_type, message = _failure(call, ending, error)
        ended_at = call.started_at + at - call.started
        try:
            self._span.set_attributes(self._attributes | self._told(call, ending, error_type))
            if error_type:
                self._span.set_status(Status(StatusCode.ERROR, message))
            if error is not None and (status := _measure.status_code(error)):
                self._span.set_attribute(semconv.HTTP_STATUS_CODE, status)
            if self._checks is not None:
                self._span.set_attributes(self._checks.found(call, ending, at, error_type))
            if self._capture is not None:
                self._capture.record(call, self._span, ended_at)
        finally:
            self._span.end(ended_at)
        self._tell_others(call, at, error_type)

    def _told(self, call: Call, ending: str, error_type: str | None) -> dict[str, Attribute]:
        attributes = _measure.answered(call.answer) | _measure.sent(call) | _measure.streamed(call)
        if call.pace.chunks or ending != semconv.COMPLETE:
            attributes[semconv.STREAM_ENDING] = semconv.ERROR if error_type else ending
        if error_type:
            attributes[semconv.ERROR_TYPE] = error_type
        return attributes

    def _tell_others(self, call: Call, at: int, error_type: str | None) -> None:
        if call.answer.id is not None:
            span = self._span.get_span_context()
            _recent.remember(call.answer.id, span, self._identity, (at - call.started) / 1e9, call.answer.usage)
        if _metrics.enabled():
            _metrics.record(self._identity, call, at, error_type)


class _Guest(_Record):
    """What is to be said of one call in a span that is somebody else's to end."""

    __slots__ = ()

    def read(self, request: Request, answer: Answer) -> None:
        self._span.set_attributes(self._identity | _measure.input_size(request.body, request.operation.input))
        if self._span.is_recording():
            self._listen(request, answer, mode=None)  # content is the other's to capture

    def end(self, call: Call, ending: str, at: int, error: BaseException | None) -> None:
        error_type, _ = _failure(call, ending, error)
        if self._span.is_recording():
            self._span.set_attributes(_measure.sent(call) | _measure.streamed(call))
            if self._checks is not None:
                self._span.set_attributes(self._checks.found(call, ending, at, error_type))
        self._tell_others(call, at, error_type)


def _failure(call: Call, ending: str, error: BaseException | None) -> tuple[str | None, str | None]:
    """The error's type and message. Stopping early is the app's right and none; a failure in mid-stream is one."""
    if error is None or ending != semconv.ERROR:
        return call.answer.error, None
    from llmvitals._redact import patterns  # failures are rare; apps are not to wait for it when they start

    return _measure.error_type(error), patterns(str(error)[:_MESSAGE_LIMIT])
