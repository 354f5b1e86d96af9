"""The compiled walker takes and refuses what the official classes do, and finds the same in it."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_corpus import WANTED, Writer, damaged, found

from llmvitals_collector.decode import logs, protobuf, traces
from llmvitals_collector.decode.walk import MOST_RECORDS
from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.records import Wanted

SEEDS = st.integers(0, 2**64 - 1)
DAMAGED = 64  # of each request

settings.register_profile("corpus", deadline=None, max_examples=300)
corpus = settings.get_profile("corpus")


@corpus
@given(seed=SEEDS, wanted=st.sampled_from([WANTED, Wanted(), traces.WANTED]))
def test_spans_written_in_any_way_are_read_alike(compiled, seed, wanted):
    body = Writer(seed).traces()
    assert found(compiled.spans, body, wanted) == found(protobuf.spans, body, wanted)


@corpus
@given(seed=SEEDS, wanted=st.sampled_from([WANTED, Wanted(), logs.WANTED]))
def test_log_records_written_in_any_way_are_read_alike(compiled, seed, wanted):
    body = Writer(seed).logs()
    assert found(compiled.log_records, body, wanted) == found(protobuf.log_records, body, wanted)


@pytest.mark.parametrize(("spans", "refused"), [(MOST_RECORDS, False), (MOST_RECORDS + 1, True)])
def test_more_spans_than_memory_is_meant_for_are_refused(compiled, spans, refused):
    """Sixteen megabytes have room for eight million empty ones."""
    request = ExportTraceServiceRequest()
    for share in (spans // 2, spans - spans // 2):
        request.resource_spans.add().scope_spans.add().spans.extend([Span()] * share)
    for walker in (compiled, protobuf):
        if refused:
            with pytest.raises(MalformedError):
                walker.spans(request.SerializeToString(), WANTED)
        else:
            assert len(walker.spans(request.SerializeToString(), WANTED)) == spans


@pytest.mark.parametrize("signal", ["spans", "log_records"])
def test_damaged_requests_are_refused_alike_or_read_alike(compiled, signal):
    """`tests/benchmarks/fuzz_decode.py` does the same by the million."""
    rng = random.Random(17)
    read, official = getattr(compiled, signal), getattr(protobuf, signal)
    accepted = 0
    for seed in range(150):
        writer = Writer(seed)
        body, other = [writer.traces() if signal == "spans" else writer.logs() for _ in range(2)]
        for _ in range(DAMAGED):
            payload = damaged(rng, body, other)
            expected = found(official, payload)
            assert found(read, payload) == expected, payload.hex()
            accepted += expected is not None
    assert 0.1 < accepted / (150 * DAMAGED) < 0.9  # both ways are tested


@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_alike(compiled, body):
    assert found(compiled.spans, body) == found(protobuf.spans, body)
    assert found(compiled.log_records, body) == found(protobuf.log_records, body)


def test_every_beginning_of_a_request_is_read_alike(compiled):
    body = next(body for body in (Writer(seed).traces() for seed in range(100)) if len(body) > 500)
    for end in range(len(body)):
        assert found(compiled.spans, body[:end]) == found(protobuf.spans, body[:end])


@pytest.mark.parametrize("moved", [0.0, 0.1, 1.0])
def test_attributes_are_found_whether_or_not_they_stand_where_they_stood_in_the_last_span(compiled, moved):
    """Some are left out, some stand twice; keys begin or end alike, and of texts there are more than are cached."""
    rng, request = random.Random(4), ExportTraceServiceRequest()
    keys = ["one.of.the.keys", "two.of.the.keys", "model", "mode", "id", "größe", "long " * 30, "", "type"]
    wanted = WANTED._replace(attributes=WANTED.attributes | {"one.of.the.keys"})
    for _ in range(800):
        span = request.resource_spans.add().scope_spans.add().spans.add()
        for message in (span, span.events.add(name="chunk")):
            held = [key for key in keys for _ in range(rng.choice([1] * 20 + [0, 0, 2]))]
            if rng.random() < moved:
                rng.shuffle(held)
            for key in held:
                text = rng.choice("ab") + "-" * rng.randrange(30) + str(rng.randrange(500))
                message.attributes.add(key=key).value.string_value = text
    body = request.SerializeToString()
    assert found(compiled.spans, body, wanted) == found(protobuf.spans, body, wanted)


def test_threads_walk_at_the_same_time_without_mixing_up_their_requests(compiled):
    bodies = [Writer(seed).traces() for seed in range(200)]
    expected = [found(protobuf.spans, body) for body in bodies]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda body: found(compiled.spans, body), bodies)) == expected
