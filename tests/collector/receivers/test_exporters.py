"""OpenTelemetry's own exporters lose nothing to a collector that refuses for a while."""

import select
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from llmvitals import semconv
from llmvitals_collector.receivers import RefusedError, UnavailableError

CLIENTS = 6


@pytest.fixture
def exporter(receivers, protocol):
    """Make an exporter as an app would, of either protocol."""
    made = []

    def make():
        if protocol == "grpc":
            made.append(GrpcSpanExporter(f"http://127.0.0.1:{receivers.grpc.port}", insecure=True))
        else:
            made.append(HttpSpanExporter(f"http://127.0.0.1:{receivers.http.port}/v1/traces"))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()


def span(name):
    return TracerProvider().get_tracer("test").start_span(name)


@pytest.mark.parametrize(
    "refusal",
    [
        RefusedError(semconv.BUSY, "too many requests are in flight", retry_after_seconds=1),
        UnavailableError(1, "the disk is full"),
    ],
    ids=["busy", "unavailable"],
)
def test_every_batch_that_is_refused_arrives_in_the_end(exporter, protocol, intake, refusal):
    """Exporters drop a RESOURCE_EXHAUSTED without RetryInfo: opentelemetry-collector, issue 15126."""
    refused = set()
    take = intake.take

    def refuse_first(receiver, signal, body, encoding):
        if body not in refused:
            refused.add(body)
            raise refusal
        return take(receiver, signal, body, encoding)

    intake.take = refuse_first
    names = {f"span {client}" for client in range(CLIENTS)}
    with ThreadPoolExecutor(CLIENTS) as clients:
        results = set(clients.map(lambda name: exporter().export([span(name)]), names))
    assert results == {SpanExportResult.SUCCESS}
    arrived = [ExportTraceServiceRequest.FromString(body) for body in intake.bodies]
    told = [
        each.name
        for batch in arrived
        for spans in batch.resource_spans
        for scope in spans.scope_spans
        for each in scope.spans
    ]
    assert sorted(told) == sorted(names)
    assert intake.refused == {(protocol, refusal.reason): CLIENTS}


def test_a_batch_that_is_malformed_is_not_sent_again(exporter, protocol, intake, caplog):
    intake.outcome = RefusedError(semconv.MALFORMED, "the body is no batch")
    assert exporter().export([span("x")]) is SpanExportResult.FAILURE
    assert intake.refused == {(protocol, semconv.MALFORMED): 1}


def test_a_connection_stays_open_from_one_batch_to_the_next(receivers):
    """Exporters send every five seconds, unless they are told otherwise."""
    connection = HTTPConnection("127.0.0.1", receivers.http.port)
    connection.request("POST", "/v1/traces", b"", {"content-type": "application/x-protobuf"})
    connection.getresponse().read()
    closed, _, _ = select.select([connection.sock], [], [], 6)
    connection.close()
    assert not closed
