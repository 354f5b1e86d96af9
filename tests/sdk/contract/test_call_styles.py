"""However a call is made, it is one CLIENT span that tells what was asked, what came, and how fast."""

from opentelemetry.trace import SpanKind, StatusCode

import llmvitals
from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

ANSWERED = Behaviour(input_tokens=100, output_tokens=20, cache_read_tokens=60, reasoning_tokens=0)
STREAMED = Behaviour(
    first_token_seconds=0.06, token_seconds=0.003, input_tokens=100, output_tokens=20, cache_read_tokens=60
)
TOLD = {
    "input": (semconv.USAGE_INPUT_TOKENS, 100),
    "output": (semconv.USAGE_OUTPUT_TOKENS, 20),
    "cache_read": (semconv.USAGE_CACHE_READ_INPUT_TOKENS, 60),
}


def tells(span, facts):
    """Whether the span says just what the answer told of its usage, and who it was."""
    attributes = span.attributes
    for fact, (name, value) in TOLD.items():
        assert attributes.get(name) == (value if fact in facts else None)
    assert (semconv.RESPONSE_ID in attributes) is ("id" in facts)
    assert len(attributes.get(semconv.RESPONSE_FINISH_REASONS, ())) == ("finish" in facts)


def test_a_whole_answer_is_one_client_span_with_its_usage(whole_call, clients, spans):
    subject, call = whole_call
    with llmvitals.prompt("support-answer", version="3"):
        call(clients(ANSWERED))

    (span,) = spans()
    assert span.name == f"{subject.operation} {subject.model}"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    attributes = span.attributes
    assert attributes[semconv.OPERATION_NAME] == subject.operation
    assert attributes[semconv.PROVIDER_NAME] == subject.provider
    assert attributes[semconv.REQUEST_MODEL] == subject.model
    assert attributes[semconv.SERVER_ADDRESS] == "127.0.0.1"
    assert attributes[semconv.PROMPT_NAME] == "support-answer"
    assert attributes[semconv.PROMPT_VERSION] == "3"
    assert attributes[semconv.INPUT_COUNT] >= 1
    assert attributes[semconv.INPUT_CHARACTERS] >= len("Where?")
    assert semconv.TIME_TO_FIRST_TOKEN not in attributes
    tells(span, subject.tells)


def test_a_stream_is_one_client_span_that_lasts_to_its_last_chunk(streamed_call, clients, spans):
    subject, call = streamed_call
    loopback = clients(STREAMED)
    call(loopback)

    (span,) = spans()
    (served,) = loopback.provider.served
    attributes = span.attributes
    assert span.status.status_code is StatusCode.UNSET
    assert attributes[semconv.REQUEST_STREAM] is True
    assert attributes[semconv.STREAM_ENDING] == semconv.COMPLETE
    assert attributes[semconv.STREAM_CHUNKS] >= 20
    duration = (span.end_time - span.start_time) / 1e9
    assert duration >= served.ended - served.started
    assert 0.06 <= attributes[semconv.TIME_TO_FIRST_TOKEN] < duration
    tells(span, subject.stream_tells)


def test_the_gaps_of_a_stream_are_all_counted(streamed_call, clients, spans):
    _, call = streamed_call
    call(clients(Behaviour(first_token_seconds=0.05, output_tokens=5)))

    attributes = spans()[0].attributes
    gaps = attributes[semconv.STREAM_GAPS]
    assert len(gaps) == len(semconv.GAP_BOUNDS) + 1
    assert sum(gaps) == attributes[semconv.STREAM_CHUNKS] - 1
    assert 0 < attributes[semconv.STREAM_LARGEST_GAP] <= attributes[semconv.STREAM_DURATION]


def test_the_first_token_is_not_the_first_chunk(streamed_call, clients, spans, chunk_clock):
    """Where the provider opens with an event or more before the first word."""
    subject, call = streamed_call
    call(clients(Behaviour(output_tokens=3)))

    attributes = spans()[0].attributes
    assert attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] == 1
    assert attributes[semconv.TIME_TO_FIRST_TOKEN] == 1 + subject.openers


def test_what_the_app_sees_is_what_it_sees_without_llmvitals(streamed_call, clients):
    subject, call = streamed_call
    loopback = clients(Behaviour(output_tokens=5))

    def seen() -> list[object]:
        return [subject.seen(chunk) for chunk in call(loopback)]

    bare = seen()
    llmvitals.instrument()
    try:
        watched = seen()
    finally:
        llmvitals.uninstrument()
    assert watched == bare
    assert bare


def test_a_stream_is_of_the_type_that_it_is_without_llmvitals(streaming, clients):
    loopback = clients(Behaviour(output_tokens=2))

    def kind() -> type:
        stream = streaming.open(loopback)
        kind = stream.__class__
        list(stream)
        return kind

    bare = kind()
    llmvitals.instrument()
    try:
        assert kind() is bare
    finally:
        llmvitals.uninstrument()


def test_a_call_that_is_not_sampled_is_no_span_and_no_less_an_answer(any_call, clients, spans, unsampled):
    _, call = any_call
    with unsampled:
        assert call(clients(Behaviour(output_tokens=3)))
    assert not spans()


def test_speed_is_tokens_per_second_from_the_first_to_the_last(telling_usage, clients, spans, chunk_clock):
    """20 tokens, one in a second: 19 come in the 19 s after the first, whatever came before it and after them."""
    list(telling_usage.open(clients(Behaviour(output_tokens=20))))

    assert spans()[0].attributes[semconv.OUTPUT_TOKENS_PER_SECOND] == 1


def test_reasoning_that_is_billed_but_not_sent_does_not_make_an_answer_fast(clients, spans, chunk_clock):
    """40 tokens are billed, 20 of them hidden: what streams is 20 tokens, one in a second."""
    loopback = clients(Behaviour(output_tokens=40, reasoning_tokens=20))
    for _ in loopback.openai.responses.create(model="gpt-x", input="Why?", stream=True):
        pass

    attributes = spans()[0].attributes
    assert attributes[semconv.USAGE_REASONING_OUTPUT_TOKENS] == 20
    assert attributes[semconv.OUTPUT_TOKENS_PER_SECOND] == 1


def test_the_first_answer_token_is_told_where_reasoning_comes_before_it(reasoning, clients, spans, chunk_clock):
    """After ten tokens of reasoning, and the events by which some APIs end it and begin the answer."""
    list(reasoning.open(clients(Behaviour(output_tokens=20, reasoning_tokens=10, reasoning_streamed=True))))

    attributes = spans()[0].attributes
    waited = attributes[semconv.TIME_TO_FIRST_ANSWER_TOKEN] - attributes[semconv.TIME_TO_FIRST_TOKEN]
    assert 10 <= waited <= 15
