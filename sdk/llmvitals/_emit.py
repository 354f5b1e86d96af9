"""From a call to its one span: the only module that records telemetry of calls."""

import functools
from time import perf_counter_ns, time_ns

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from llmvitals import _export, _feedback, _prompt, semconv
from llmvitals._adapter import Answer, Attribute, Operation, Request
from llmvitals._call import Call

_MESSAGE_LIMIT = 256  # characters of an error's message; providers quote whole requests in theirs


def start(
    provider: str, operation: Operation, request: Request, host: str | None, port: int | None
) -> tuple[Call, Span] | None:
    """A call that starts now, and its CLIENT span; None when the span is not recorded: then nobody needs to watch.

    All that samplers may look at is on the span from the start.
    https://github.com/open-telemetry/semantic-conventions-genai, inference spans.
    """
    started_at, started = time_ns(), perf_counter_ns()
    identity = _identity(provider, operation, request)
    attributes = {**identity, **request.attributes}
    if request.streamed:
        attributes[semconv.REQUEST_STREAM] = True
    if host:
        attributes[semconv.SERVER_ADDRESS] = host
        if port:
            attributes[semconv.SERVER_PORT] = port
    name = f"{operation.name} {request.model}" if request.model else operation.name
    span = _export.tracer().start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=started_at)
    if not span.is_recording():
        return None
    return Call(operation.fold, functools.partial(_end, span, identity), started_at, started), span


def _identity(provider: str, operation: Operation, request: Request) -> dict[str, Attribute]:
    """What tells one kind of call from another; its feedback carries the same, so that nobody has to join."""
    attributes: dict[str, Attribute] = {
        semconv.OPERATION_NAME: operation.name,
        semconv.PROVIDER_NAME: provider,
    }
    if request.model is not None:
        attributes[semconv.REQUEST_MODEL] = request.model
    template = _prompt.current.get()
    if template is not None:
        attributes[semconv.PROMPT_NAME] = template.name
        if template.version is not None:
            attributes[semconv.PROMPT_VERSION] = template.version
    return attributes


def _end(
    span: Span, identity: dict[str, Attribute], call: Call, ending: str, at: int, error: BaseException | None
) -> None:
    """End the span of `call` with all that is known; at: `perf_counter_ns` of its end. Whatever fails, it ends."""
    try:
        _tell_failure(span, call, ending, error)
        span.set_attributes(_answered(call.answer))
        if call.chunks:
            span.set_attributes(_streamed(call))
    finally:
        span.end(call.started_at + at - call.started)
    if call.answer.id is not None:
        _feedback.remember(call.answer.id, span.get_span_context(), identity)


def _tell_failure(span: Span, call: Call, ending: str, error: BaseException | None) -> None:
    """Stopping early is the app's right and no error; a failure in mid-stream is one."""
    error_type, message = call.answer.error, None
    if error is not None and ending == semconv.ERROR:
        error_type, message = _qualified_name(type(error)), str(error)[:_MESSAGE_LIMIT]
    if call.chunks or ending != semconv.COMPLETE:
        span.set_attribute(semconv.STREAM_ENDING, semconv.ERROR if error_type else ending)
    if error_type:
        span.set_attribute(semconv.ERROR_TYPE, error_type)
        span.set_status(Status(StatusCode.ERROR, message))


def _answered(answer: Answer) -> dict[str, Attribute]:
    usage = answer.usage
    known = {
        semconv.RESPONSE_ID: answer.id,
        semconv.RESPONSE_MODEL: answer.model,
        semconv.RESPONSE_FINISH_REASONS: answer.finish_reasons or None,
        semconv.USAGE_INPUT_TOKENS: usage.input,
        semconv.USAGE_OUTPUT_TOKENS: usage.output,
        semconv.USAGE_CACHE_READ_INPUT_TOKENS: usage.cache_read,
        semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: usage.cache_write,
        semconv.USAGE_REASONING_OUTPUT_TOKENS: usage.reasoning,
    }
    return {name: value for name, value in known.items() if value is not None} | answer.attributes


def _streamed(call: Call) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {
        semconv.STREAM_CHUNKS: call.chunks,
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK: (call.first_chunk - call.started) / 1e9,
    }
    if call.first_token:
        attributes[semconv.TIME_TO_FIRST_TOKEN] = (call.first_token - call.started) / 1e9
        tokens = _tokens_between(call.answer)
        if tokens > 0 and call.last_token > call.first_token:
            attributes[semconv.OUTPUT_TOKENS_PER_SECOND] = tokens * 1e9 / (call.last_token - call.first_token)
    return attributes


def _tokens_between(answer: Answer) -> int:
    """How many tokens came after the first, up to the last; reasoning that is billed but not sent is none of them."""
    usage = answer.usage
    hidden = 0 if answer.reasoning_seen else usage.reasoning or 0
    return (usage.output or 0) - hidden - 1


def _qualified_name(kind: type[BaseException]) -> str:
    """`openai.RateLimitError`; builtins by their bare name (the conventions' `error.type`)."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
