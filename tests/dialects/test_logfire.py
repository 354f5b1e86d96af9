"""How Logfire tells of calls: of a stream by two spans, which may come in two requests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from capture import FIXTURES, bodies
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.decode import decode_traces

SECOND = 10**9
READ = "streaming response from"  # how the name of a stream's second span begins


@pytest.fixture
def sent() -> ExportTraceServiceRequest:
    """What Logfire has sent."""
    [fixture] = FIXTURES.glob("logfire-*.pb")
    return ExportTraceServiceRequest.FromString(b"".join(bodies(fixture.read_bytes())))


def apart(sent: ExportTraceServiceRequest) -> Iterator[Calls]:
    """The calls of each span in a request by itself."""
    for resource_spans in sent.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                request = ExportTraceServiceRequest()
                alone = request.resource_spans.add(resource=resource_spans.resource)
                alone.scope_spans.add(scope=scope_spans.scope, spans=[span])
                yield decode_traces(request.SerializeToString()).records


@pytest.fixture
def second(sent) -> Callable[[str], Span]:
    """`second(scope)` is the second span of the stream that was made with a client."""

    def of(scope: str) -> Span:
        spans = [each for found in sent.resource_spans for each in found.scope_spans if each.scope.name == scope]
        return next(span for each in spans for span in each.spans if span.name.startswith(READ))

    return of


@pytest.fixture
def stream(second) -> Callable[[int, int, int], list[Span]]:
    """`stream(start, begun, end)` are the spans of a stream that the app read from `begun` on, in seconds."""

    def of(start: int, begun: int, end: int) -> list[Span]:
        one, two = Span(), Span()
        two.CopyFrom(second("logfire.openai"))
        attributes = [
            attribute
            for attribute in two.attributes
            if attribute.key in (semconv.OPERATION_NAME, semconv.REQUEST_MODEL)
        ]
        one.attributes.extend(attributes)
        one.start_time_unix_nano, one.end_time_unix_nano = (SECOND * (1 + each) for each in (start, begun))
        two.start_time_unix_nano = two.end_time_unix_nano = SECOND * (1 + end)
        for attribute in two.attributes:
            if attribute.key == "duration":
                attribute.value.double_value = end - begun
        for place, span in enumerate((one, two)):
            span.trace_id, span.span_id = b"the same request", bytes([start + 1, place] * 4)
            span.parent_span_id = b"parental"
        return [one, two]

    return of


def durations(calls: Calls) -> list[Any]:
    return calls["duration"][calls["streamed"]].tolist()


def test_a_stream_lasts_from_its_first_span_s_start_to_its_second_one_s_end(sent):
    [of_openai, of_anthropic] = durations(decode_traces(sent.SerializeToString()).records)
    assert 0.23 <= of_openai < 0.3
    assert 0.28 <= of_anthropic < 0.35


def test_of_a_stream_whose_first_span_came_before_only_the_reading_is_known(sent, second):
    found = [duration for calls in apart(sent) for duration in durations(calls)]
    told = {attribute.key: attribute.value for attribute in second("logfire.openai").attributes}
    assert found[0] == told["duration"].double_value
    assert 0.17 <= found[0] < 0.23


def test_a_stream_counts_by_its_second_span_alone(sent):
    streams = [calls for calls in apart(sent) if calls["streamed"].any()]
    assert [calls["input_tokens"].tolist() for calls in streams] == [[1300], [2200], [2200]]  # one of Anthropic's own


def test_a_stream_of_anthropic_s_counts_by_its_client_s_own_span_if_that_is_there(sent):
    calls = decode_traces(sent.SerializeToString()).records
    own = calls["dialect"] == calls.strings.index("anthropic")
    assert calls["input_tokens"][own].tolist() == [2200]
    for found in sent.resource_spans:
        for each in found.scope_spans:
            if each.scope.name == "com.anthropic.sdk.python":
                del each.spans[:]
    calls = decode_traces(sent.SerializeToString()).records
    assert calls["input_tokens"].tolist().count(2200) == 1


def test_streams_at_the_same_time_keep_their_beginnings(stream):
    """By what is read first after it has begun."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "logfire.openai"
    scope.spans.extend(span for times in ((0, 1, 9), (2, 3, 7), (4, 5, 8)) for span in stream(*times))
    assert sorted(durations(decode_traces(request.SerializeToString()).records)) == [4, 5, 9]


def test_a_span_that_logfire_announces_is_no_call_yet(read):
    told = {semconv.OPERATION_NAME: "chat", "gen_ai.response.id": "1"}
    assert read("logfire.openai", told)["dialect"] == "logfire"
    assert read("logfire.openai", told | {"logfire.span_type": "pending_span"}) is None


@pytest.mark.parametrize("seconds", [0.5, -0.5, float("inf"), float("-inf"), float("nan"), 1e300])
def test_however_long_logfire_says_that_a_stream_was_read_it_is_a_call(read, seconds):
    told = read("logfire.openai", {semconv.OPERATION_NAME: "chat", "logfire.span_type": "log", "duration": seconds})
    assert told["streamed"] is True
