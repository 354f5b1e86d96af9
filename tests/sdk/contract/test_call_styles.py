"""However a call is made, it is one CLIENT span that tells what was asked, what came, and how fast."""

import pytest
from opentelemetry.trace import SpanKind, StatusCode

import llmvitals
from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

ANSWERED = Behaviour(input_tokens=100, output_tokens=20, cache_read_tokens=60, reasoning_tokens=0)
STREAMED = Behaviour(
    first_token_seconds=0.06, token_seconds=0.003, input_tokens=100, output_tokens=20, cache_read_tokens=60
)


def test_a_whole_answer_is_one_client_span_with_its_usage(whole_call, clients, spans):
    api, call = whole_call
    with llmvitals.prompt("support-answer", version="3"):
        call(clients(ANSWERED))

    (span,) = spans()
    assert span.name == f"{api.operation} {api.request['model']}"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    attributes = dict(span.attributes)
    assert attributes[semconv.OPERATION_NAME] == api.operation
    assert attributes[semconv.PROVIDER_NAME] == api.provider
    assert attributes[semconv.REQUEST_MODEL] == api.request["model"]
    assert attributes[semconv.SERVER_ADDRESS] == "127.0.0.1"
    assert attributes[semconv.PROMPT_NAME] == "support-answer"
    assert attributes[semconv.PROMPT_VERSION] == "3"
    assert attributes[semconv.USAGE_INPUT_TOKENS] == 100
    assert semconv.REQUEST_STREAM not in attributes, "absent means not streamed"
    assert semconv.TIME_TO_FIRST_TOKEN not in attributes
    if api.operation == semconv.CHAT:
        assert attributes[semconv.USAGE_OUTPUT_TOKENS] == 20
        assert attributes[semconv.USAGE_CACHE_READ_INPUT_TOKENS] == 60
        assert attributes[semconv.RESPONSE_ID]
        assert len(attributes[semconv.RESPONSE_FINISH_REASONS]) == 1


def test_a_stream_is_one_client_span_that_lasts_to_its_last_chunk(streamed_call, clients, spans):
    _, call = streamed_call
    loopback = clients(STREAMED)
    call(loopback)

    (span,) = spans()
    (served,) = loopback.provider.served
    attributes = dict(span.attributes)
    assert span.status.status_code is StatusCode.UNSET
    assert attributes[semconv.REQUEST_STREAM] is True
    assert attributes[semconv.STREAM_ENDING] == semconv.COMPLETE
    assert attributes[semconv.STREAM_CHUNKS] >= 20
    duration = (span.end_time - span.start_time) / 1e9
    assert duration >= served.ended - served.started
    assert 0.06 <= attributes[semconv.TIME_TO_FIRST_TOKEN] < duration


def test_the_first_token_is_not_the_first_chunk(streamed_call, clients, spans):
    """The provider sends its opening event at once and pauses before the first word."""
    _, call = streamed_call
    call(clients(Behaviour(first_token_seconds=0.15, output_tokens=3)))

    attributes = spans()[0].attributes
    pause = attributes[semconv.TIME_TO_FIRST_TOKEN] - attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK]
    assert pause > 0.05


def test_what_the_app_sees_is_what_it_sees_without_llmvitals(streamed_call, clients):
    _, call = streamed_call
    loopback = clients(Behaviour(output_tokens=5))

    def seen() -> list[tuple[str, object]]:
        return [(type(chunk).__qualname__, _words(chunk)) for chunk in call(loopback)]

    bare = seen()
    llmvitals.instrument()
    try:
        watched = seen()
    finally:
        llmvitals.uninstrument()
    assert watched == bare
    assert bare


def _words(chunk: object) -> object:
    """A chunk without what differs from one answer to the next."""
    if not hasattr(chunk, "model_dump"):
        return chunk
    return {key: value for key, value in chunk.model_dump().items() if key in ("delta", "index", "type", "choices")}


def test_speed_is_tokens_per_second_from_the_first_to_the_last(streaming_api, clients, spans):
    """20 tokens, one in 10 ms: 19 of them come in the 190 ms after the first, however long that one took."""
    loopback = clients(Behaviour(first_token_seconds=0.1, token_seconds=0.01, output_tokens=20))
    request = {**streaming_api.request, "stream": True}
    if streaming_api.name == "openai chat":
        request["stream_options"] = {"include_usage": True}
    for _ in streaming_api.sync(loopback).create(**request):
        pass

    assert spans()[0].attributes[semconv.OUTPUT_TOKENS_PER_SECOND] == pytest.approx(100, rel=0.2)


def test_reasoning_that_is_billed_but_not_sent_does_not_make_an_answer_fast(clients, spans):
    """40 tokens are billed, 20 of them hidden: what streams is 20 tokens in 190 ms."""
    loopback = clients(Behaviour(token_seconds=0.01, output_tokens=40, reasoning_tokens=20))
    for _ in loopback.openai.responses.create(model="gpt-x", input="Why?", stream=True):
        pass

    attributes = spans()[0].attributes
    assert attributes[semconv.USAGE_REASONING_OUTPUT_TOKENS] == 20
    assert attributes[semconv.OUTPUT_TOKENS_PER_SECOND] == pytest.approx(100, rel=0.25)
