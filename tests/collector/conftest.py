"""Batches as the real OpenTelemetry SDK encodes them, a collector on free ports, a scrape of it, and OTLP backends."""

import gzip
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus
from hypothesis import settings
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode
from prometheus_client import parser as text_parser
from prometheus_client.samples import Sample

from llmvitals import semconv
from llmvitals_collector.config import Config, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.decode import Encoding
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal

# Examples take longer when a machine is busy, which is no failure.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

CALL = {semconv.OPERATION_NAME: semconv.CHAT, semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-5"}
START = 1_700_000_000 * 10**9


@pytest.fixture
def spans() -> Callable[..., ExportTraceServiceRequest]:
    """Encode spans, each given by its attributes: those of a chat call unless told otherwise."""

    def encode(
        *attributes: Mapping[str, Any], seconds: float = 1.5, failed: bool = False, service: str | None = "shop"
    ) -> ExportTraceServiceRequest:
        exporter = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({semconv.SERVICE_NAME: service} if service else {}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        for each in attributes:
            span = provider.get_tracer("test").start_span("call", attributes={**CALL, **each}, start_time=START)
            if failed:
                span.set_status(Status(StatusCode.ERROR))
            span.end(START + round(seconds * 1e9))
        return encode_spans(exporter.get_finished_spans())

    return encode


@pytest.fixture
def events() -> Callable[..., ExportLogsServiceRequest]:
    """Encode log records, each given by its event name and its attributes."""

    def encode(*records: tuple[str, Mapping[str, Any]]) -> ExportLogsServiceRequest:
        exporter = InMemoryLogRecordExporter()
        provider = LoggerProvider(resource=Resource({semconv.SERVICE_NAME: "shop"}))
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        for name, attributes in records:
            provider.get_logger("test").emit(event_name=name, attributes=dict(attributes))
        return encode_logs(exporter.get_finished_logs())

    return encode


@pytest.fixture
def config() -> Config:
    """A configuration with free ports."""
    receivers = Receivers(grpc=GrpcReceiver(address="127.0.0.1:0"), http=HttpReceiver(address="127.0.0.1:0"))
    return Config(receivers=receivers, metrics=Metrics(address="127.0.0.1:0"))


@pytest.fixture
def collector(config: Config) -> Iterator[Pipeline]:
    """A collector that runs."""
    pipeline = Pipeline(config)
    pipeline.start()
    yield pipeline
    pipeline.stop()


@pytest.fixture
def scrape(collector: Pipeline) -> Callable[[], list[Sample]]:
    """Scrape the collector, and parse what it says."""

    def get() -> list[Sample]:
        with urllib.request.urlopen(f"http://127.0.0.1:{collector.metrics.port}/metrics") as answer:
            text = answer.read().decode()
        return [sample for family in text_parser.text_string_to_metric_families(text) for sample in family.samples]

    return get


class Unserved:
    """A collector without servers: what is sent to it, and its series."""

    def __init__(self):
        self._pipeline = Pipeline(Config())

    def logs(self, request):
        self._pipeline.intake.take("http", Signal.LOGS, request.SerializeToString(), Encoding.PROTOBUF)

    def traces(self, request):
        self._pipeline.intake.take("http", Signal.TRACES, request.SerializeToString(), Encoding.PROTOBUF)

    def samples(self, family):
        """The label sets of a family with their values, histograms by their counts."""
        text = b"".join(self._pipeline.render(Format.TEXT)).decode()
        name = family.name + ("_count" if family.kind == "histogram" else "")
        found = (each for one in text_parser.text_string_to_metric_families(text) for each in one.samples)
        return [sample for sample in found if sample.name == name]

    def counted(self, family, *labels):
        """What is not 0, by some of its labels."""
        return {
            tuple(sample.labels[label] for label in labels): sample.value
            for sample in self.samples(family)
            if sample.value
        }


@pytest.fixture
def unserved() -> Unserved:
    return Unserved()


# ---- Backends on loopback that answer as they are told, over HTTP and gRPC -----------------------------

BACKEND_SECONDS = 20  # the longest that a wait for one may take


class Answer(NamedTuple):
    """What a backend does with one request: `accept`, `busy`, `refuse`, `hang`, `cut`; of gRPC also `full`."""

    kind: str = "accept"
    body: bytes = b""
    after_seconds: float | None = None


class Received(NamedTuple):
    """One request as a backend got it."""

    path: str
    headers: dict[str, str]
    body: bytes


class Backend:
    """What both backends have in common: the script of their answers, and what they received."""

    def __init__(self) -> None:
        self.script: list[Answer] = []  # and then accepts everything
        self.received: list[Received] = []
        self.times: list[float] = []  # when, by time.monotonic()
        self.released = threading.Event()  # ends hanging
        self._changed = threading.Condition()
        self.accepted = 0

    def next(self, received: Received) -> Answer:
        with self._changed:
            self.received.append(received)
            self.times.append(time.monotonic())
            answer = self.script.pop(0) if self.script else Answer()
            self.accepted += answer.kind == "accept"
            self._changed.notify_all()
        if answer.kind == "hang":
            self.released.wait(BACKEND_SECONDS)
        return answer

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, BACKEND_SECONDS)


class HttpBackend(Backend):
    protocol = "http"

    def __init__(self, context: Any = None) -> None:
        super().__init__()
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                answer = backend.next(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                if answer.kind in ("cut", "hang"):
                    self.close_connection = True
                    return
                self.send_response({"accept": 200, "busy": 503, "refuse": 400}[answer.kind])
                self.send_header("Content-Type", self.headers["Content-Type"])
                if answer.after_seconds is not None:
                    self.send_header("Retry-After", str(round(answer.after_seconds)))
                told = answer.body or (b"" if answer.kind == "accept" else RpcStatus(message="no").SerializeToString())
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.endpoint = f"http{'s' if context else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class GrpcBackend(Backend, grpc.GenericRpcHandler):
    protocol = "grpc"

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(max_workers=4)
        self._server = grpc.server(self._pool, handlers=[self])
        add = self._server.add_secure_port if credentials else self._server.add_insecure_port
        port = add("127.0.0.1:0", *([credentials] if credentials else []))
        self.endpoint = f"http{'s' if credentials else ''}://127.0.0.1:{port}"
        self._server.start()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            headers = dict(context.invocation_metadata())
            answer = self.next(Received(details.method, headers, body))
            if answer.kind == "accept":
                return answer.body
            if answer.after_seconds is not None:
                status = RpcStatus(code=8)
                info = RetryInfo()
                info.retry_delay.FromNanoseconds(round(answer.after_seconds * 1e9))
                status.details.add().Pack(info)
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "later")
            codes = {"refuse": grpc.StatusCode.INVALID_ARGUMENT, "full": grpc.StatusCode.RESOURCE_EXHAUSTED}
            context.abort(codes.get(answer.kind, grpc.StatusCode.UNAVAILABLE), "no")
            raise AssertionError("abort raises")

        return grpc.unary_unary_rpc_method_handler(export)

    def close(self) -> None:
        self.released.set()
        self._server.stop(0).wait()
        self._pool.shutdown()


@pytest.fixture(params=[HttpBackend, GrpcBackend], ids=["http", "grpc"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A backend of either protocol."""
    made = request.param()
    yield made
    made.close()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def http_backend() -> Iterator[HttpBackend]:
    made = HttpBackend()
    yield made
    made.close()


@pytest.fixture
def grpc_backend() -> Iterator[GrpcBackend]:
    made = GrpcBackend()
    yield made
    made.close()


@pytest.fixture
def backends() -> dict[str, type[Backend]]:
    """The two kinds, for those who need one with settings of its own."""
    return {"http": HttpBackend, "grpc": GrpcBackend}
