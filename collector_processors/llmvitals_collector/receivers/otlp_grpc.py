"""OTLP over gRPC. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NoReturn

import grpc

from llmvitals import semconv
from llmvitals_collector.config import GrpcReceiver
from llmvitals_collector.decode import Encoding
from llmvitals_collector.health import Health
from llmvitals_collector.lifecycle import GRACE_SECONDS, PortError
from llmvitals_collector.receivers import Intake, RefusedError, Signal
from llmvitals_collector.receivers.admission import Admission, Lease, SizeLimit
from llmvitals_collector.receivers.answers import CODES, retry_info, status, taken
from llmvitals_collector.receivers.compression import inflated
from llmvitals_collector.receivers.grpc_health import HealthHandler
from llmvitals_collector.tls import ServerTls
from llmvitals_collector.tokens import BearerTokens

_KEY = "receivers.grpc"
_SIGNALS = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": Signal.TRACES,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": Signal.LOGS,
}
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
# Each thread receives a request, decodes it and waits until it is in the journal. There may so be as many requests
# of the full size before their bytes are on the account.
_THREADS = 8
_OPTIONS = [
    # gRPC (1.85) would inflate to any size before it looks at its own limit, so it gives us what was sent, without
    # telling how that is compressed; what it does not know itself, such as zstd, it refuses.
    ("grpc.per_message_decompression", 0),
    # A client that vanished in the middle of a message does not keep its thread.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]


class OtlpGrpc(grpc.GenericRpcHandler):
    """A gRPC server that takes requests as raw bytes, since parsing is decoding's affair; see lifecycle.Server.

    shared: whether other processes listen there, too, of which the kernel gives each a part of the connections.
    """

    def __init__(
        self, config: GrpcReceiver, intake: Intake, admission: Admission, health: Health, *, shared: bool = False
    ) -> None:
        self._address = config.address
        self._shared = shared
        self._limit = SizeLimit(config.max_request_bytes, f"{_KEY}.max_request_bytes")
        self._intake = intake
        self._admission = admission
        self._health = HealthHandler(health, (method.split("/")[1] for method in _SIGNALS))
        self._tls = ServerTls(config.tls, f"{_KEY}.tls")
        self._running: tuple[grpc.Server, ThreadPoolExecutor] | None = None
        self.tokens = BearerTokens(config.auth, f"{_KEY}.auth")  # may be set anew at any time
        self.port = 0

    def start(self) -> None:
        pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="otlp-grpc")
        options = [
            *_OPTIONS,
            # With gRPC's default a second collector would share the port and take half of the requests.
            ("grpc.so_reuseport", int(self._shared)),
            # A message of up to twice the size comes to us, who refuse it in a sentence that has the key.
            ("grpc.max_receive_message_length", 2 * self._limit.bytes),
        ]
        server = grpc.server(pool, handlers=[self, self._health], options=options)
        try:
            if self._tls:
                self.port = server.add_secure_port(self._address, self._tls.grpc_credentials())
            else:
                self.port = server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise PortError(self._address, f"{_KEY}.address") from error
        server.start()
        self._running = (server, pool)

    def stop(self) -> None:
        if self._running:
            server, pool = self._running
            server.stop(GRACE_SECONDS).wait()
            # Who was cut off may still be counting.
            pool.shutdown()
            self._running = None

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Let a call in before its message is received, or refuse it."""
        signal = _SIGNALS.get(details.method)
        if signal is None:
            return None
        try:
            given = (str(value) for key, value in details.invocation_metadata if key == "authorization")
            self.tokens.check(next(given, ""))
            lease = self._admission.admit()
        except RefusedError as refused:
            return grpc.stream_unary_rpc_method_handler(partial(self._refuse, refused))
        # A handler of streams receives the message when it asks for it, and is called even where none comes.
        return grpc.stream_unary_rpc_method_handler(partial(self._export, signal, lease))

    def _export(self, signal: Signal, lease: Lease, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        try:
            with lease:
                body = self._received(requests, lease)
                return taken(self._intake, semconv.RECEIVER_GRPC, signal, body, Encoding.PROTOBUF)
        except RefusedError as refused:
            self._refuse(refused, requests, context)

    def _received(self, requests: Iterator[bytes], lease: Lease) -> bytes:
        try:
            body = next(requests, None)
        except grpc.RpcError as error:
            raise RefusedError(semconv.ABORTED, "the client went away, or its message is far too large") from error
        if body is None:  # as gRPC (1.85) also tells it at times
            raise RefusedError(semconv.ABORTED, "the call ended without a message")
        self._limit.check(len(body))
        lease.grow(len(body))
        coding = _coding(body)
        return inflated(body, coding, self._limit, lease) if coding else body

    def _refuse(self, refused: RefusedError, _requests: Iterator[bytes], context: grpc.ServicerContext) -> NoReturn:
        self._intake.refuse(semconv.RECEIVER_GRPC, refused, context.peer())
        answer = status(refused)
        trailers = [("grpc-status-details-bin", answer.SerializeToString())]
        if refused.retry_after_seconds is not None:
            # Where OpenTelemetry's exporter for Python (1.45) looks.
            trailers.append(("google.rpc.retryinfo-bin", retry_info(refused.retry_after_seconds).SerializeToString()))
        context.set_trailing_metadata(tuple(trailers))
        context.abort(_STATUS_CODES[CODES[refused.reason][0]], str(refused))


def _coding(body: bytes) -> str | None:
    """How a message is compressed, by its first bytes: those of an OTLP message are the tag of field 1.

    https://www.rfc-editor.org/rfc/rfc1952#page-5, https://www.rfc-editor.org/rfc/rfc1950#page-4
    """
    if body.startswith(b"\x1f\x8b"):
        return "gzip"
    return "deflate" if body.startswith(b"\x78") and int.from_bytes(body[:2]) % 31 == 0 else None
