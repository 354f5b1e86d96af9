"""A collector that is busy says so, and OpenTelemetry's exporters come again when they were told to."""

import re
import socket
from contextlib import ExitStack, contextmanager

import pytest

pytestmark = pytest.mark.tiers

# Half a megabyte for a request, and the least that may be in flight then.
NARROW = {
    "receivers:": "receivers:\n  max_in_flight_bytes: 1114112\n  kafka: {max_message_bytes: 524288}",
    "grpc: {": "grpc: {max_request_bytes: 524288, ",
    "http: {": "http: {max_request_bytes: 524288, ",
}
HEAD = "POST /v1/traces HTTP/1.1\r\nHost: any\r\nContent-Type: application/x-protobuf\r\nContent-Length: {size}\r\n\r\n"
RETRY = re.compile(r'Will retry.*too many requests are in flight.*"interval": "([\d.]+)(m?s)"')


@pytest.fixture
def replica(started):
    return started("replica.yaml", NARROW)


@pytest.fixture(params=["gRPC", "gRPC through the gateway", "HTTP"])
def sender(request, replica, started):
    """An OpenTelemetry Collector that sends to the replica."""
    if request.param == "HTTP":
        return started("fan_out.yaml", {"store.example": "127.0.0.1", "llmvitals.example:4318": replica.address(4318)})
    address = replica.address(4317)
    if request.param == "gRPC through the gateway":
        listed = ", ".join(f"llmvitals-{number}.example:4317" for number in range(3))
        address = started("gateway.yaml", {listed: address}).address(4317)
    return started("agent.yaml", {"gateway.example:4317": address})


@contextmanager
def busy(replica):
    """Requests that do not end hold all that may be in flight, but for less than any request takes."""
    with ExitStack() as stack:
        for size in (500_000, 480_000):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", replica.ports[4318])))
            connection.sendall(HEAD.format(size=size).encode() + bytes(size - 10_000))
        yield


def test_a_request_that_is_refused_for_the_moment_comes_again_when_it_was_told_to(replica, sender, calls, send, until):
    with busy(replica):
        until(lambda: replica.total("llm_collector_in_flight_bytes") > 1_000_000)
        send(sender, calls(10))
        until(lambda: replica.total("llm_collector_refused_requests_total", reason="busy") > 0, sender.log)
        until(lambda: RETRY.search(sender.log()), sender.log)
    until(lambda: replica.total("llm_calls_total") == 10, sender.log)
    waits = [float(wait) / (1 if unit == "s" else 1000) for wait, unit in RETRY.findall(sender.log())]
    assert min(waits) >= 1, "it would be half of a second at most, had the replica not said more"
    assert sender.total("otelcol_exporter_sent_spans_total") == 10
    assert sender.total("otelcol_exporter_send_failed_spans_total") == 0
