"""From a call to its one span: the only module that records telemetry of calls."""

from time import perf_counter_ns, time_ns
from typing import NamedTuple

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from llmvitals import _content, _export, _feedback, _measure, _metrics, _nesting, _prompt, semconv
from llmvitals._adapter import Answer, Attribute, Body, Operation, provider_at
from llmvitals._call import Call, Unrecorded
from llmvitals._guard import Fuse, Guard

_MESSAGE_LIMIT = 256  # characters of an error's message; providers quote whole requests in theirs


class Request(NamedTuple):
    """One request to a provider: what it asks for, and where it goes."""

    operation: Operation
    body: Body
    host: str | None = None
    port: int | None = None


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
    identity = _identity(provider_at(request.host, provider), request)
    foreign = _nesting.foreign_span(current, operation.name)
    span = foreign or _start_span(current, identity, request, started_at)
    record = (_Guest if foreign else _Record)(span, identity)
    within = set_span_in_context(span, current)
    if not span.is_recording() and not _metrics.enabled():
        unrecorded = Unrecorded(operation.name, operation.fold, record.remember)
        return Started(unrecorded, _nesting.around(within, unrecorded))
    call = Call(operation.name, operation.fold, record.end, fuse, started_at, started)
    with Guard("reading a request"):
        record.read(request, call.answer)
    return Started(call, _nesting.around(within, call))


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
    span = _export.tracer().start_span(name, current, SpanKind.CLIENT, attributes, start_time=started_at)
    with Guard("carrying the tracestate"):
        _nesting.carry_tracestate(current, span)
    return span


class _Record:
    """What is to be said of one call in its own span, when it ends."""

    __slots__ = ("_attributes", "_content", "_identity", "_span")

    def __init__(self, span: Span, identity: dict[str, Attribute]) -> None:
        self._span = span
        self._identity = identity
        self._attributes: dict[str, Attribute] = {}
        self._content: _content.Content | None = None

    def read(self, request: Request, answer: Answer) -> None:
        """Take from the request what the span is to have: its parameters, its size and, opted in, its content."""
        if not self._span.is_recording():
            return
        operation, body = request.operation, request.body
        self._attributes = operation.parameters(body) | _measure.input_size(body, operation.input)
        if operation.content is not None and _content.mode() != semconv.NO_CONTENT:
            self._content = operation.content(body)
            answer.transcript = _content.Transcript()

    def remember(self, response_id: str) -> None:
        """Let feedback on this response find its call."""
        _feedback.remember(response_id, self._span.get_span_context(), self._identity)

    def end(self, call: Call, ending: str, at: int, error: BaseException | None) -> None:
        """End the span with all that is known; at: `perf_counter_ns` of its end. Whatever fails, it ends."""
        error_type, message = _failure(call, ending, error)
        try:
            self._span.set_attributes(self._attributes | self._told(call, ending, error_type))
            if error_type:
                self._span.set_status(Status(StatusCode.ERROR, message))
        finally:
            self._span.end(call.started_at + at - call.started)
        self._tell_others(call, at, error_type)

    def _told(self, call: Call, ending: str, error_type: str | None) -> dict[str, Attribute]:
        attributes = _measure.answered(call.answer) | _measure.sent(call) | _measure.streamed(call)
        if call.chunks or ending != semconv.COMPLETE:
            attributes[semconv.STREAM_ENDING] = semconv.ERROR if error_type else ending
        if error_type:
            attributes[semconv.ERROR_TYPE] = error_type
        if self._content is not None and call.answer.transcript is not None:
            attributes |= _content.attributes(self._content, call.answer.transcript, call.answer.finish_reasons)
        return attributes

    def _tell_others(self, call: Call, at: int, error_type: str | None) -> None:
        if call.answer.id is not None:
            self.remember(call.answer.id)
        if _metrics.enabled():
            _metrics.record(self._identity, call, at, error_type)


class _Guest(_Record):
    """What is to be said of one call in a span that is somebody else's to end."""

    __slots__ = ()

    def read(self, request: Request, answer: Answer) -> None:  # noqa: ARG002 - content is the other's to capture
        self._span.set_attributes(self._identity | _measure.input_size(request.body, request.operation.input))

    def end(self, call: Call, ending: str, at: int, error: BaseException | None) -> None:
        if self._span.is_recording():
            self._span.set_attributes(_measure.sent(call) | _measure.streamed(call))
        self._tell_others(call, at, _failure(call, ending, error)[0])


def _failure(call: Call, ending: str, error: BaseException | None) -> tuple[str | None, str | None]:
    """The error's type and message. Stopping early is the app's right and none; a failure in mid-stream is one."""
    if error is None or ending != semconv.ERROR:
        return call.answer.error, None
    return _measure.error_type(error), str(error)[:_MESSAGE_LIMIT]
