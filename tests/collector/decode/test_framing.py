"""Requests that are whole may be put one behind the other, and are then what they were, one behind the other."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals_collector.decode import is_whole


def request(*services: str) -> bytes:
    message = ExportTraceServiceRequest()
    for service in services:
        message.resource_spans.add().resource.attributes.add(key="service.name").value.string_value = service
    return message.SerializeToString()


def parsed(body: bytes) -> list[bytes] | None:
    try:
        message = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return None
    return [each.SerializeToString(deterministic=True) for each in message.resource_spans]


# Of fields that are what they say, fields that promise more than there is, and anything.
BODIES = st.one_of(
    st.lists(st.text(max_size=200), max_size=3).map(lambda services: request(*services)),
    st.builds(lambda service, cut: request(service)[:-cut], st.text(max_size=200), st.integers(1, 40)),
    st.binary(max_size=12).map(lambda junk: b"\x0a" + junk),
    st.binary(max_size=12),
)


@pytest.mark.parametrize("services", [(), ("shop",), ("shop", "s" * 200, "")])
def test_what_an_encoder_writes_is_whole(services):
    assert is_whole(request(*services))


@given(BODIES, BODIES)
@example(b"\x0a\x05", request("shop"))
@example(b"\x0a", request("shop"))
@example(b"\x0a\x80", request("shop"))
def test_whole_requests_that_are_joined_hold_what_both_hold_and_are_malformed_where_one_is(one, other):
    if is_whole(one) and is_whole(other):
        both = parsed(one), parsed(other)
        assert parsed(one + other) == (None if None in both else both[0] + both[1])


@given(st.text(max_size=300), st.integers(1, 400))
def test_what_is_cut_short_is_not_whole(service, cut):
    body = request(service)
    assert not is_whole(body[:-cut]) or not body[:-cut]
