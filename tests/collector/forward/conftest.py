"""Backends on loopback that answer as they are told, over HTTP and gRPC, and forwarding to them."""

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.forward.config import ForwardConfig, ForwardRetry
from llmvitals_collector.telemetry import Telemetry

SECONDS = 20  # the longest that anything here may take


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
        self.released = threading.Event()  # ends hanging
        self._changed = threading.Condition()
        self.accepted = 0

    def next(self, received: Received) -> Answer:
        with self._changed:
            self.received.append(received)
            answer = self.script.pop(0) if self.script else Answer()
            self.accepted += answer.kind == "accept"
            self._changed.notify_all()
        if answer.kind == "hang":
            self.released.wait(SECONDS)
        return answer

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, SECONDS)


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
                told = answer.body or (b"" if answer.kind == "accept" else Status(message="no").SerializeToString())
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.endpoint = f"http{'s' if context else ''}://localhost:{self._server.server_address[1]}"
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
        port = add("localhost:0", *([credentials] if credentials else []))
        self.endpoint = f"http{'s' if credentials else ''}://localhost:{port}"
        self._server.start()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            headers = dict(context.invocation_metadata())
            answer = self.next(Received(details.method, headers, body))
            if answer.kind == "accept":
                return answer.body
            if answer.after_seconds is not None:
                status = Status(code=8)
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


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(label_sets=10, processors=[])


@pytest.fixture
def forward(telemetry: Telemetry) -> Iterator[Callable[..., Forward]]:
    """Forward to backends, each given as one, or by its name; retries are quick unless told otherwise."""
    running: list[Forward] = []

    def start(*backends: Backend, **settings: Any) -> Forward:
        quick = {"retry": ForwardRetry(initial_seconds=0.02), "timeout_seconds": SECONDS}
        configs = {
            f"{place}": ForwardConfig(endpoint=each.endpoint, protocol=each.protocol, **(quick | settings))
            for place, each in enumerate(backends)
        }
        running.append(Forward(configs, telemetry))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def counts(telemetry: Telemetry) -> Callable[..., dict[str, float]]:
    """What the metrics say of one backend: the part of the name that matters -> value."""

    def read(exporter: str = "otlp/0") -> dict[str, float]:
        return {
            sample.name.removeprefix("otelcol_exporter_").removeprefix("llm_collector_"): sample.value
            for metric in telemetry.collect()
            for sample in metric.samples
            if sample.labels.get("exporter") == exporter and sample.labels.get("data_type") != "logs"
        }

    return read
