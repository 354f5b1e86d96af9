"""Requests over real connections: what the exporters of OpenTelemetry send is counted, all else is answered."""

import json
import urllib.error
import urllib.request

import grpc
import pytest
from google.rpc.status_pb2 import Status
from msgspec.structs import replace
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from llmvitals import semconv
from llmvitals_collector.lifecycle import PortError
from llmvitals_collector.pipeline import Pipeline

PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACE_SERVICE = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def value(samples, name, **labels):
    found = [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]
    assert found, f"no sample of {name} with {labels}"
    return sum(found)


@pytest.fixture(
    params=[
        (GrpcSpanExporter, GrpcLogExporter, grpc.Compression.NoCompression),
        (GrpcSpanExporter, GrpcLogExporter, grpc.Compression.Gzip),
        (HttpSpanExporter, HttpLogExporter, Compression.NoCompression),
        (HttpSpanExporter, HttpLogExporter, Compression.Gzip),
        (HttpSpanExporter, HttpLogExporter, Compression.Deflate),
    ],
    ids=["grpc", "grpc gzip", "http", "http gzip", "http deflate"],
)
def exporters(request, collector):
    """The exporters of OpenTelemetry's SDK for spans and for log records, in each protocol and compression."""
    spans, logs, compression = request.param
    if spans is GrpcSpanExporter:
        arguments = {"endpoint": f"http://127.0.0.1:{collector.grpc.port}", "insecure": True}
        return spans(**arguments, compression=compression), logs(**arguments, compression=compression)
    base = f"http://127.0.0.1:{collector.http.port}/v1"
    return spans(f"{base}/traces", compression=compression), logs(f"{base}/logs", compression=compression)


def test_what_the_real_exporters_send_is_counted(exporters, scrape):
    spans, logs = exporters
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(spans))
    loggers = LoggerProvider()
    loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
    call = {semconv.OPERATION_NAME: semconv.CHAT, semconv.REQUEST_MODEL: "gpt-5"}
    for _ in range(3):
        tracers.get_tracer("test").start_span("chat", attributes=call).end()
    thumb = {semconv.EVALUATION_NAME: semconv.USER_FEEDBACK, semconv.EVALUATION_SCORE_LABEL: "thumb_up"}
    loggers.get_logger("test").emit(event_name=semconv.EVALUATION_RESULT, attributes=thumb)
    tracers.shutdown()
    loggers.shutdown()
    samples = scrape()
    assert value(samples, semconv.CALLS.name, gen_ai_request_model="gpt-5", outcome="ok") == 3
    assert value(samples, semconv.FEEDBACK.name, kind="thumb_up") == 1
    assert value(samples, semconv.COLLECTOR_RECEIVED_SPANS.name) == 3
    assert value(samples, semconv.COLLECTOR_RECEIVED_LOG_RECORDS.name) == 1


@pytest.fixture
def post(collector):
    """Send an HTTP request to the receiver: the status, the headers and the body of its answer."""

    def send(body, path="/v1/traces", method="POST", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{collector.http.port}{path}"
        request = urllib.request.Request(url, body, names, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    return send


def test_success_is_answered_in_the_encoding_of_the_request(post, spans):
    status, headers, body = post(spans({}).SerializeToString(), content_type=PROTOBUF)
    assert (status, headers["content-type"], body) == (200, PROTOBUF, b"")
    status, headers, body = post(b'{"resourceSpans": []}', content_type=f"{JSON}; charset=utf-8")
    assert (status, headers["content-type"], body) == (200, JSON, b"{}")


def test_a_malformed_body_is_refused_with_a_status_in_its_own_encoding(post, scrape):
    status, headers, body = post(b"\xff", content_type=PROTOBUF)
    assert (status, headers["content-type"]) == (400, PROTOBUF)
    answer = Status.FromString(body)
    assert (answer.code, answer.message) == (3, "the body is no ExportTraceServiceRequest in protobuf")
    status, headers, body = post(b"{", content_type=JSON)
    assert (status, headers["content-type"]) == (400, JSON)
    assert json.loads(body) == {"code": 3, "message": "the body is no ExportTraceServiceRequest in JSON"}
    assert value(scrape(), semconv.COLLECTOR_REFUSED_REQUESTS.name, receiver="http", reason="malformed") == 2


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"content_type": "text/plain"}, "the content type is 'text/plain'; valid: application/x-protobuf or"),
        ({"content_type": PROTOBUF, "content_encoding": "br"}, "the content encoding is 'br'; valid: identity, gzip"),
    ],
)
def test_a_type_or_compression_that_is_not_known_is_refused(post, scrape, headers, message):
    status, _, body = post(b"", **headers)
    assert status == 415
    assert message.encode() in body
    assert value(scrape(), semconv.COLLECTOR_REFUSED_REQUESTS.name, reason="unsupported_type") == 1


def test_other_paths_and_methods_are_answered(post):
    assert post(b"", path="/v1/metrics")[0] == 404
    status, headers, _ = post(None, method="GET")
    assert (status, headers["allow"]) == (405, "POST")


def test_a_malformed_grpc_message_is_an_invalid_argument(collector, scrape):
    address = f"127.0.0.1:{collector.grpc.port}"
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(TRACE_SERVICE)(b"\xff")
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == "the body is no ExportTraceServiceRequest in protobuf"
    assert value(scrape(), semconv.COLLECTOR_REFUSED_REQUESTS.name, receiver="grpc", reason="malformed") == 1


@pytest.fixture
def second(config):
    """Start a second collector, in which one address is that of the first."""

    def start(**addresses):
        receivers = {
            name: replace(getattr(config.receivers, name), address=address)
            for name, address in addresses.items()
            if name != "metrics"
        }
        metrics = replace(config.metrics, address=addresses.get("metrics", config.metrics.address))
        Pipeline(replace(config, receivers=replace(config.receivers, **receivers), metrics=metrics)).start()

    return start


@pytest.mark.parametrize(
    ("server", "key"),
    [("grpc", "receivers.grpc.address"), ("http", "receivers.http.address"), ("metrics", "metrics.address")],
)
def test_a_port_in_use_is_one_sentence_with_its_key(collector, second, server, key):
    """Without a word, gRPC would share it, and take half of the requests."""
    taken = f"127.0.0.1:{getattr(collector, server).port}"
    with pytest.raises(PortError) as raised:
        second(**{server: taken})
    assert str(raised.value) == (
        f"cannot listen on {taken}, which is in use or no address of this host; {key} sets another one"
    )
