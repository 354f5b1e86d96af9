"""OTLP bytes become calls and verdicts, whole or not at all."""

import json
import math

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Kind
from llmvitals_collector.decode import Encoding, MalformedError, decode_logs, decode_traces


def texts(batch, column):
    return [batch.strings[code] for code in batch[column]]


def test_every_attribute_of_a_call_has_its_column(spans):
    request = spans(
        {
            semconv.PROMPT_NAME: "support-answer",
            semconv.REQUEST_STREAM: True,
            semconv.STREAM_ENDING: semconv.COMPLETE,
            semconv.RESPONSE_TIME_TO_FIRST_CHUNK: 0.25,
            semconv.TIME_TO_FIRST_TOKEN: 0.5,
            semconv.OUTPUT_TOKENS_PER_SECOND: 42.0,
            semconv.USAGE_INPUT_TOKENS: 1000,
            semconv.USAGE_OUTPUT_TOKENS: 50,
            semconv.USAGE_CACHE_READ_INPUT_TOKENS: 800,
            semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: 100,
            semconv.USAGE_REASONING_OUTPUT_TOKENS: 20,
        },
        seconds=1.5,
    )
    calls = decode_traces(request.SerializeToString()).records
    labels = ("service", "provider", "operation", "model", "template", "ending", "error_type", "dialect", "scope")
    assert {name: calls.strings[calls[name][0]] for name in labels} == {
        "service": "shop",
        "provider": "openai",
        "operation": "chat",
        "model": "gpt-5",
        "template": "support-answer",
        "ending": "complete",
        "error_type": "",
        "dialect": "genai",
        "scope": "test",
    }
    numbers = {name: array[0].item() for name, array in calls.arrays.items() if array.dtype == np.float64}
    assert (calls["failed"].tolist(), calls["streamed"].tolist()) == ([False], [True])
    assert numbers == {
        "end_time": 1_700_000_001.5,
        "duration": 1.5,
        "time_to_first_chunk": 0.25,
        "time_to_first_token": 0.5,
        "output_tokens_per_second": 42.0,
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 800,
        "cache_write_tokens": 100,
        "reasoning_tokens": 20,
    }


def test_what_the_sender_does_not_tell_is_absent_and_not_zero(spans):
    calls = decode_traces(spans({}, service=None).SerializeToString()).records
    assert math.isnan(calls["input_tokens"][0])
    assert math.isnan(calls["time_to_first_token"][0])
    assert texts(calls, "template") == [""]
    assert texts(calls, "service") == ["unknown_service"]


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [
        (semconv.USAGE_INPUT_TOKENS, "many", "input_tokens"),
        (semconv.USAGE_INPUT_TOKENS, -1, "input_tokens"),
        (semconv.TIME_TO_FIRST_TOKEN, math.inf, "time_to_first_token"),
        (semconv.TIME_TO_FIRST_TOKEN, math.nan, "time_to_first_token"),
        (semconv.TIME_TO_FIRST_TOKEN, [1.0], "time_to_first_token"),
    ],
)
def test_a_value_that_cannot_be_counts_as_absent(spans, key, value, column):
    assert math.isnan(decode_traces(spans({key: value}).SerializeToString()).records[column][0])


def test_the_two_names_of_cache_writes_are_one_number(spans):
    old, new = semconv.USAGE_CACHE_CREATION_INPUT_TOKENS, semconv.USAGE_CACHE_WRITE_INPUT_TOKENS
    calls = decode_traces(spans({old: 7, new: 7}, {old: 8}, {new: 9}).SerializeToString()).records
    assert calls["cache_write_tokens"].tolist() == [7, 8, 9]


def test_a_call_failed_by_its_status_or_by_its_error_type(spans):
    assert decode_traces(spans({}, failed=True).SerializeToString()).records["failed"].tolist() == [True]
    calls = decode_traces(spans({semconv.ERROR_TYPE: "429"}, {}).SerializeToString()).records
    assert calls["failed"].tolist() == [True, False]


def test_a_span_that_ends_before_it_starts_has_no_duration(spans):
    calls = decode_traces(spans({}, seconds=-1).SerializeToString()).records
    assert len(calls) == 1
    assert math.isnan(calls["duration"][0])


def test_spans_that_are_no_call_are_counted_by_reason(spans):
    request = spans({}, {semconv.OPERATION_NAME: "invoke_agent"}, {semconv.OPERATION_NAME: 5})
    other = request.resource_spans[0].scope_spans[0].spans.add(name="GET /")
    other.attributes.add(key="http.request.method").value.string_value = "GET"
    decoded = decode_traces(request.SerializeToString())
    assert len(decoded.records) == 1
    assert decoded.received == {"shop": 4}
    assert decoded.ignored == {semconv.NOT_A_CALL: 2, semconv.NOT_GEN_AI: 1}


def test_a_call_without_ids_is_rejected_and_its_sender_is_told(spans):
    request = spans({}, {}, {})
    first, second, _ = request.resource_spans[0].scope_spans[0].spans
    first.trace_id, second.span_id = bytes(16), b"short"
    decoded = decode_traces(request.SerializeToString())
    assert len(decoded.records) == 1
    assert decoded.rejected == {semconv.INVALID_IDS: 2}


def feedback(kind, **more):
    return {
        semconv.EVALUATION_NAME: semconv.USER_FEEDBACK,
        semconv.EVALUATION_SCORE_LABEL: kind,
        semconv.REQUEST_MODEL: "gpt-5",
        semconv.PROMPT_NAME: "support-answer",
        **more,
    }


def test_feedback_carries_the_labels_of_its_call(events):
    thumb = feedback("thumb_down", **{semconv.EVALUATION_SCORE_VALUE: 0.0})
    results = decode_logs(events((semconv.EVALUATION_RESULT, thumb)).SerializeToString()).records
    assert (texts(results, "model"), texts(results, "template")) == (["gpt-5"], ["support-answer"])
    assert (texts(results, "service"), texts(results, "source")) == (["shop"], ["user"])
    assert results["score"].tolist() == [0.0]
    assert list(semconv.FEEDBACK_SCORES)[results["kind"][0]] == "thumb_down"


def test_feedback_of_an_unknown_kind_is_other(events):
    request = events((semconv.EVALUATION_RESULT, feedback("wave")))
    decoded = decode_logs(request.SerializeToString())
    assert decoded.records["kind"].tolist() == [len(semconv.FEEDBACK_SCORES)]


def test_log_records_that_are_no_results_are_counted_as_such(events):
    judged = {semconv.EVALUATION_NAME: "relevance"}
    decoded = decode_logs(events(("", {}), (semconv.EVALUATION_RESULT, judged)).SerializeToString())
    assert len(decoded.records) == 1
    assert decoded.received == {"shop": 2}
    assert decoded.ignored == {semconv.NOT_AN_EVALUATION: 1}


def otlp_json(message):
    """A message in OTLP/JSON: protobuf's JSON mapping, but with ids in hexadecimal and enums as numbers."""
    document = json_format.MessageToDict(message, use_integers_for_enums=True)
    for scope in document["resourceSpans"][0]["scopeSpans"]:
        for span in scope["spans"]:
            # Hexadecimal digits that are no valid base64: a decoder that mixes the two up must fail.
            span |= {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "flags": 1}
            span["somethingNew"] = {"traceId": None}
    return json.dumps(document).encode()


def test_json_and_protobuf_of_a_batch_decode_to_the_same(spans):
    request = spans({semconv.USAGE_INPUT_TOKENS: 3}, {semconv.REQUEST_STREAM: True, semconv.ERROR_TYPE: "x"})
    one = decode_traces(request.SerializeToString())
    two = decode_traces(otlp_json(request), Encoding.JSON)
    assert (one.received, one.ignored) == (two.received, two.ignored)
    kinds = {column.name: column.kind for column in Calls.decoded}
    assert one.records.arrays.keys() == two.records.arrays.keys()
    for name, array in one.records.arrays.items():
        if kinds[name] is Kind.TEXT:
            assert texts(one.records, name) == texts(two.records, name)
        elif kinds[name] is not Kind.ID:  # JSON's ids are the test's own
            np.testing.assert_array_equal(array, two.records[name])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"5",
        b"{",
        b"\xff\xfe",
        b'{"resourceSpans": 5}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "not hex"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -5}]}]}]}',
        b"[" * 100_000,
    ],
)
def test_json_that_is_no_batch_is_refused_in_one_sentence(body):
    with pytest.raises(MalformedError, match="the body is no ExportTraceServiceRequest in JSON"):
        decode_traces(body, Encoding.JSON)


@given(body=st.binary(max_size=300), encoding=st.sampled_from(Encoding))
def test_random_bytes_are_decoded_or_refused_and_never_crash(body, encoding):
    for decode in (decode_traces, decode_logs):
        try:
            decoded = decode(body, encoding)
        except MalformedError:
            continue
        assert len(decoded.records) + decoded.ignored.total() + decoded.rejected.total() == decoded.received.total()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_batch_is_decoded_or_refused_and_never_crashes(spans, data):
    body = bytearray(spans({semconv.USAGE_INPUT_TOKENS: 3}).SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_traces(bytes(body))
    except MalformedError:
        return
    assert len(decoded.records) + decoded.ignored.total() + decoded.rejected.total() == decoded.received.total()
