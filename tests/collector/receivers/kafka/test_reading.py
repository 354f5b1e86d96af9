"""Which messages become a range."""

import pytest

from llmvitals import semconv
from llmvitals_collector.decode import Encoding, decode_traces
from llmvitals_collector.receivers import Signal
from llmvitals_collector.receivers.kafka import Message
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.receivers.kafka.reading import Reading
from llmvitals_collector.receivers.kafka.set_aside import Nowhere
from llmvitals_collector.storage import OffsetRange
from llmvitals_collector.telemetry import Telemetry

OF = ("otlp_spans", 2)


class Decode:
    def decode(self, signal, body, encoding):
        assert (signal, encoding) == (Signal.TRACES, Encoding.PROTOBUF)
        return decode_traces(body, encoding, content=False)


@pytest.fixture
def portions(spans):
    """`portions(offsets, held)`: of messages at these offsets, with one call each."""
    reading = Reading(KafkaReceiver(), Decode(), Nowhere(), Telemetry(10, ()))

    def of(offsets, held):
        return reading.portions([Message(OF, offset, spans({}).SerializeToString()) for offset in offsets], held)

    return of


def test_a_range_begins_where_the_last_one_ended_and_ends_after_its_last_message(portions):
    # There are no messages at some offsets: where transactions ended, and of compacted topics.
    portion = portions([7, 9], {OF: Committed(5, 3, (0, 5))})[OF]
    assert portion.prepared.range == OffsetRange(*OF, claim=3, start=5, end=10)
    assert [len(batch) for batch in portion.prepared.batches] == [2]


def test_what_is_before_the_range_or_came_already_is_left_out(portions):
    portion = portions([3, 5, 6, 5, 6, 7], {OF: Committed(5, 3)})[OF]
    assert [len(batch) for batch in portion.prepared.batches] == [3]
    assert portion.prepared.range.end == 8


def test_of_partitions_that_are_not_held_nothing_is_taken(portions):
    assert portions([3, 4], {}) == {}


@pytest.fixture
def requests(spans):
    """`requests(*bodies, encoding=...)`: what becomes of messages with these bodies, and what was set aside."""

    def of(*bodies, **config):
        aside = []

        class Aside:
            def keep(self, message, reason):
                aside.append((message.offset, reason))

        reading = Reading(KafkaReceiver(**config), Decode(), Aside(), Telemetry(10, ()))
        messages = [Message(OF, offset, body) for offset, body in enumerate(bodies)]
        portion = reading.portions(messages, {OF: Committed(0, 1)})[OF]
        return [len(request.decoded.told) for request in portion.requests], aside

    return of


def test_small_messages_are_one_request(requests, spans):
    one, two = spans({}).SerializeToString(), spans({}, {}).SerializeToString()
    assert requests(one, b"", two, one) == ([4], [])


def test_requests_are_no_larger_than_backends_take_them(requests, spans):
    large = spans({"text": "x" * 100_000}).SerializeToString()
    assert requests(*[large] * 25) == ([10, 10, 5], [])


def test_a_large_message_stays_alone(requests, spans):
    one, large = spans({}).SerializeToString(), spans({"text": "x" * 200_000}).SerializeToString()
    assert requests(one, large, one) == ([1, 2], [])


@pytest.mark.parametrize("broken", [b"\x0a\x05ab", b"\x0a\x02\xff\xff"], ids=["cut short", "malformed"])
def test_a_message_that_cannot_be_decoded_does_not_keep_its_neighbours_out(requests, spans, broken):
    one = spans({}).SerializeToString()
    counts, aside = requests(one, broken, one)
    assert sum(counts) == 2
    assert aside == [(1, semconv.MALFORMED)]


def test_a_message_that_is_too_large_is_in_no_request(requests, spans):
    one, large = spans({}).SerializeToString(), spans({"text": "x" * 2000}).SerializeToString()
    assert requests(one, large, max_message_bytes=1024) == ([1], [(1, semconv.TOO_LARGE)])
