"""What is a request in JSON, and that it is read as the same request in protobuf.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and https://protobuf.dev/programming-guides/json/
"""

import json
import random
import time

import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_corpus import WANTED, Writer, altered, document, found

from llmvitals_collector.decode import otlp_json, protobuf
from llmvitals_collector.malformed import MalformedError

SIGNALS = {
    "spans": (ExportTraceServiceRequest, Writer.traces),
    "log_records": (ExportLogsServiceRequest, Writer.logs),
}


def messages(signal, seeds):
    """The requests of the corpus that are valid."""
    message, write = SIGNALS[signal]
    for seed in seeds:
        try:
            yield message.FromString(write(Writer(seed)))
        except DecodeError:
            continue


@pytest.mark.parametrize("signal", SIGNALS)
@settings(deadline=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_a_request_is_the_same_in_json_and_in_protobuf(signal, seed):
    for message in messages(signal, [seed]):
        body = json.dumps(document(message)).encode()
        expected = found(getattr(protobuf, signal), message.SerializeToString())
        assert found(getattr(otlp_json, signal), body) == expected


# Where protobuf's own reading for Python is laxer than its specification, or OTLP is stricter, and we go with those.
MESSAGES = {
    *("resourceSpans", "resourceLogs", "resource", "scopeSpans", "scopeLogs", "scope", "spans", "logRecords", "events"),
    *("links", "status", "attributes", "value", "values", "body", "arrayValue", "kvlistValue", "entityRefs"),
}
ENUMS = {"kind", "code", "severityNumber"}
# The indices of the profiles' dictionary: what has them is no trace and no log.
UNKNOWN_TO_US = {"keyStrindex", "stringValueStrindex"}


def is_excepted(name, value):
    if name in MESSAGES:
        return isinstance(value, str) or value == []  # Python goes through them as if they were an object
    if name in ENUMS:
        return not isinstance(value, int) or isinstance(value, bool)  # OTLP: enums are integers
    return name in UNKNOWN_TO_US or (name == "doubleValue" and isinstance(value, bool))  # Python: float(True)


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_is_odd_is_refused_or_read_as_protobuf_does(signal):
    """Ids are left out: OTLP writes them in hexadecimal, protobuf in base64."""
    rng, (message_type, _) = random.Random(23), SIGNALS[signal]
    decided = {True: 0, False: 0}
    for message in messages(signal, range(300)):
        strict = json_format.MessageToDict(message, use_integers_for_enums=True)
        given = without_ids(strict)
        for _ in range(8):
            if (changed := altered(rng, given)) is None or is_excepted(*changed[:2]):
                continue
            body = json.dumps(changed[2])
            try:
                official = json_format.Parse(body, message_type(), ignore_unknown_fields=True)
                expected = found(getattr(protobuf, signal), official.SerializeToString())
            except json_format.ParseError:
                expected = None
            assert found(getattr(otlp_json, signal), body.encode()) == expected, changed[:2]
            decided[expected is None] += 1
    assert min(decided.values()) > 200


def without_ids(node):
    if isinstance(node, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {name: without_ids(value) for name, value in node.items() if name not in ids}
    return [without_ids(each) for each in node] if isinstance(node, list) else node


def span(**fields):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}).encode()


def value(**written):
    return span(attributes=[{"key": "tokens", "value": written}])


def number(body):
    return otlp_json.spans(body, WANTED).attributes.numbers["tokens"].tolist()


@pytest.mark.parametrize("written", [7, "7", 7.0, "7.0", "0.7e1", "007"])
def test_an_integer_is_a_number_or_a_text(written):
    assert number(value(intValue=written)) == [7]


@pytest.mark.parametrize(("written", "read"), [(1, 1), ("1.5", 1.5), ("Infinity", float("inf")), ("1e-3", 0.001)])
def test_a_double_is_a_number_or_a_text(written, read):
    assert number(value(doubleValue=written)) == [read]


@pytest.mark.parametrize("trace_id", ["5b8efff798038103d269b633813fc60c", "5B8EFFF798038103D269B633813FC60C"])
def test_an_id_is_hexadecimal_in_either_case(trace_id):
    records = otlp_json.spans(span(traceId=trace_id, spanId="eee19b7ec3c1b174"), WANTED)
    assert records.trace_id.tolist() == [[0x5B8EFFF798038103, 0xD269B633813FC60C]]
    assert records.span_id.tolist() == [0xEEE19B7EC3C1B174]


def test_null_is_as_good_as_nothing_everywhere():
    names = ("traceId", "name", "kind", "flags", "startTimeUnixNano", "attributes", "events", "status", "parentSpanId")
    nothing = found(otlp_json.spans, span())
    assert found(otlp_json.spans, span(**dict.fromkeys(names))) == nothing
    assert found(otlp_json.spans, span(attributes=[{"key": "tokens", "value": None}])) == nothing
    assert found(otlp_json.spans, value(stringValue=None, arrayValue={"values": None})) == nothing


def test_names_are_in_lower_camel_case_and_others_are_unknown():
    body = b'{"resource_spans": 5, "resourceSpans": [{"scope_spans": {}, "scopeSpans": [{"new": [], "spans": [{}]}]}]}'
    assert len(otlp_json.spans(body, WANTED)) == 1


REFUSED = {
    "nothing": b"",
    "an array": b"[]",
    "half an object": b"{",
    "what is no UTF-8": b'{"new": "\xff"}',
    "what is no UTF-8 in a name": b'{"\xff": 1}',
    "a lone surrogate": span(name="\ud800"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "an id that is not hexadecimal": span(traceId="not hex"),
    "an id of half a byte more": span(traceId="abc"),
    "an id with blanks": span(traceId="ab cd"),
    "an id as a number": span(traceId=5),
    "a time before 1970": span(startTimeUnixNano=-5),
    "flags of 33 bits": span(flags=2**32),
    "a count of 33 bits": span(droppedEventsCount=str(2**32)),
    "an enum by its name": span(kind="SPAN_KIND_CLIENT"),
    "a value of two types": value(stringValue="a", intValue=1),
    "an integer with a fraction": value(intValue="1.5"),
    "an integer of 65 bits": value(intValue=2**64),
    "an integer in other digits": value(intValue="\u0661"),
    "an integer with an underscore": value(intValue="1_0"),
    "an infinite integer": value(intValue="Infinity"),
    "bytes that are no base64": value(bytesValue="?"),
    "NaN without quotes": b'{"new": NaN}',
    "null as an element": b'{"resourceSpans": [null]}',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_refused_whole(name):
    with pytest.raises(MalformedError, match="the body is no ExportTraceServiceRequest in JSON"):
        otlp_json.spans(REFUSED[name], WANTED)


def test_values_may_nest_deeper_than_in_protobuf():
    """Which allows a hundred messages in one another; JSON is not held to that, and nothing overflows."""
    deep = value(arrayValue={}).replace(b"{}", b'{"values":[{"arrayValue":' * 150 + b"{}" + b"}]}" * 150)
    assert len(otlp_json.spans(deep, WANTED)) == 1


MILLION = 1_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MILLION,
        b'{"resourceSpans":' * MILLION,
        b'{"new":' + b"[" * MILLION + b"]" * MILLION + b"}",
        value(arrayValue={}).replace(b"{}", b'{"values":[{"arrayValue":' * 100_000 + b"{}" + b"}]}" * 100_000),
        value(intValue="9" * MILLION),
        value(intValue=0).replace(b" 0}", b" " + b"9" * MILLION + b"}"),
        value(doubleValue=0).replace(b" 0}", b" 1e" + b"9" * MILLION + b"}"),
        span(kind=0).replace(b" 0}", b" " + b"9" * MILLION + b"}"),
        span(traceId=None, flags="9" * MILLION),
    ],
    ids=["arrays", "objects", "unknown arrays", "values", "text", "integer", "exponent", "enum", "beside null"],
)
def test_a_bomb_is_refused_at_once(body):
    began = time.process_time()
    with pytest.raises(MalformedError):
        otlp_json.spans(body, WANTED)
    assert time.process_time() - began < 1
