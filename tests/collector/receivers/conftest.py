"""Both receivers on free ports before an intake that notes what it gets, and clients that send them the same."""

import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from llmvitals import semconv
from llmvitals_collector.config import GrpcReceiver, HttpReceiver, Receivers
from llmvitals_collector.health import Health
from llmvitals_collector.receivers.admission import Admission
from llmvitals_collector.receivers.otlp_grpc import OtlpGrpc
from llmvitals_collector.receivers.otlp_http import OtlpHttp

TRACE_SERVICE = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = "application/x-protobuf"


class NotingIntake:
    """Takes everything, unless `outcome` is an error to raise or something to answer."""

    def __init__(self):
        self.bodies = []
        self.refused = Counter()
        self.outcome = None
        self.open = Event()  # requests wait until it is set
        self.open.set()
        self.waiting = Event()
        self.noted = Event()  # a refusal

    def take(self, receiver, signal, body, encoding):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        self.waiting.set()
        assert self.open.wait(30)
        self.bodies.append(body)
        return self.outcome

    def refuse(self, receiver, refused, peer):
        # gRPC forgets who went away.
        assert "127.0.0.1" in peer or refused.reason == semconv.ABORTED
        self.refused[receiver, refused.reason] += 1
        self.noted.set()


@pytest.fixture
def intake():
    return NotingIntake()


@pytest.fixture
def settings():
    return Receivers(grpc=GrpcReceiver(address="127.0.0.1:0"), http=HttpReceiver(address="127.0.0.1:0"))


@pytest.fixture
def receivers(settings, intake):
    """Both, running: `grpc`, `http`, `admission` and `health`."""
    admission, health = Admission(settings.max_in_flight_bytes), Health()
    running = SimpleNamespace(
        grpc=OtlpGrpc(settings.grpc, intake, admission, health),
        http=OtlpHttp(settings.http, intake, admission),
        admission=admission,
        health=health,
    )
    running.grpc.start()
    running.http.start()
    yield running
    intake.open.set()
    running.grpc.stop()
    running.http.stop()


@dataclass
class Answer:
    """What a client got, over either protocol."""

    code: grpc.StatusCode | HTTPStatus
    status: Status | None = None  # of a refusal
    retry_after: list[float] = field(default_factory=list)  # in seconds, from each place that tells it
    body: bytes = b""
    headers: Any = None

    @property
    def message(self):
        return self.status.message

    @property
    def response(self):
        return ExportTraceServiceResponse.FromString(self.body)


def seconds(info):
    return info.retry_delay.ToNanoseconds() / 1e9


def over_grpc(receivers, body, authorization=None, compression=None, secure=None):
    address = f"127.0.0.1:{receivers.grpc.port}"
    metadata = [("authorization", authorization)] if authorization else []
    channel = grpc.secure_channel(address, secure) if secure else grpc.insecure_channel(address)
    with channel:
        call = channel.unary_unary(TRACE_SERVICE)
        try:
            return Answer(grpc.StatusCode.OK, body=call(body, metadata=metadata, compression=compression, timeout=20))
        except grpc.RpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
            answer = Answer(error.code(), status, [seconds(info) for info in details(status)])
            if "google.rpc.retryinfo-bin" in trailers:
                answer.retry_after.append(seconds(RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])))
            return answer


def over_http(receivers, body, authorization=None, compression=None, secure=None, method="POST", **headers):
    names = {"content-type": PROTOBUF} | {name.replace("_", "-"): value for name, value in headers.items()}
    if authorization:
        names["authorization"] = authorization
    if compression:
        names["content-encoding"] = compression
    scheme = "https" if secure else "http"
    url = f"{scheme}://127.0.0.1:{receivers.http.port}/v1/traces"
    request = urllib.request.Request(url, body, names, method=method)
    try:
        with urllib.request.urlopen(request, context=secure, timeout=20) as answer:
            return Answer(HTTPStatus(answer.status), body=answer.read(), headers=answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            status = Status.FromString(error.read())
            answer = Answer(
                HTTPStatus(error.code), status, [seconds(info) for info in details(status)], headers=error.headers
            )
            if "retry-after" in error.headers:
                answer.retry_after.append(float(error.headers["retry-after"]))
            return answer


def details(status):
    for detail in status.details:
        info = RetryInfo()
        assert detail.Unpack(info)
        yield info


@pytest.fixture(params=["grpc", "http"])
def protocol(request):
    return request.param


@pytest.fixture
def send(receivers, protocol):
    """Send a request to one of the receivers; each test runs once for each."""
    over = {"grpc": over_grpc, "http": over_http}[protocol]
    return lambda body, **options: over(receivers, body, **options)


@pytest.fixture
def post(receivers):
    """Send a request to the HTTP receiver."""
    return lambda body, **options: over_http(receivers, body, **options)


@pytest.fixture
def call(receivers):
    """Send a request to the gRPC receiver."""
    return lambda body, **options: over_grpc(receivers, body, **options)


@pytest.fixture
def held(receivers, intake):
    """Send a request that stays in flight until it is let go: `held(body)`, then `held.let_go()` for its answer."""
    threads = []

    def hold(body):
        intake.open.clear()
        answers = []
        thread = Thread(target=lambda: answers.append(over_grpc(receivers, body)))
        thread.start()
        assert intake.waiting.wait(10)
        threads.append((thread, answers))

    def let_go():
        intake.open.set()
        for thread, _ in threads:
            thread.join(10)
        return [answer for _, answers in threads for answer in answers]

    hold.let_go = let_go
    yield hold
    let_go()
