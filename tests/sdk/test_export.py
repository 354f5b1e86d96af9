"""Where spans and events go: to the app's own providers, or to where the OTEL_* variables say."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals import _export

APP = """
import openai, sys, llmvitals
llmvitals.instrument()
{setup}
client = openai.OpenAI(base_url=sys.argv[1], api_key="any")
response = client.chat.completions.create(model="gpt-x", messages=[])
llmvitals.feedback(response, "thumb_up")
"""

OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
"""


class Receiver(http.server.ThreadingHTTPServer):
    """An OTLP/HTTP endpoint that keeps what it gets, by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: dict[str, list[bytes]] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def app(clients):
    """Run an app of its own process, with these variables, to its end: what it printed, and said on stderr."""
    url = clients().provider.url + "/v1"

    def run(setup: str = "", **environment: str) -> tuple[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LLMVITALS_"))}
        finished = subprocess.run(
            [sys.executable, "-c", APP.format(setup=setup), url],
            capture_output=True,
            text=True,
            timeout=60,
            env={**inherited, **environment},
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout, finished.stderr

    return run


def test_without_a_provider_of_the_app_s_they_go_by_http_to_the_endpoint(app, receiver):
    app(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_SERVICE_NAME="shop")

    (resource_spans,) = ExportTraceServiceRequest.FromString(receiver.got["/v1/traces"][0]).resource_spans
    (span,) = resource_spans.scope_spans[0].spans
    assert span.name == "chat gpt-x"
    assert "shop" in [attribute.value.string_value for attribute in resource_spans.resource.attributes]
    (resource_logs,) = ExportLogsServiceRequest.FromString(receiver.got["/v1/logs"][0]).resource_logs
    (record,) = resource_logs.scope_logs[0].log_records
    assert record.event_name == "gen_ai.evaluation.result"
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)


def test_an_app_that_sets_its_own_provider_after_instrument_keeps_it(app, receiver):
    printed, _ = app(OWN_PROVIDER, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert '"name": "chat gpt-x"' in printed
    assert "/v1/traces" not in receiver.got


def test_none_exports_nothing(app, receiver):
    app(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    assert receiver.got == {}


def test_a_disabled_sdk_records_nothing(app, receiver):
    app(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_SDK_DISABLED="true")
    assert receiver.got == {}


def test_an_exporter_that_is_not_installed_is_said_in_one_sentence(app):
    _, said = app(OTEL_TRACES_EXPORTER="oltp", OTEL_LOGS_EXPORTER="none")
    assert "OTEL_TRACES_EXPORTER: no exporter 'oltp' is installed; there are: console, none, otlp" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            "http/protobuf",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "http/protobuf"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            "http/protobuf",
        ),
    ],
)
def test_the_protocol(environment, protocol, monkeypatch):
    for name in ("PROTOCOL", "TRACES_PROTOCOL", "ENDPOINT", "TRACES_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _export._protocol("traces") == protocol
