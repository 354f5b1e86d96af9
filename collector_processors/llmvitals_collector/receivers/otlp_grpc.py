"""OTLP over gRPC. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

from llmvitals import semconv
from llmvitals_collector.config import GrpcReceiver
from llmvitals_collector.decode import Encoding, MalformedError, decode_logs, decode_traces
from llmvitals_collector.lifecycle import GRACE_SECONDS, PortError
from llmvitals_collector.receivers import Decode, Intake

_SERVICES: dict[str, Decode] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": decode_traces,
    "opentelemetry.proto.collector.logs.v1.LogsService": decode_logs,
}
# An Export...ServiceResponse without anything to say.
_ACCEPTED = b""


class OtlpGrpc:
    """A gRPC server that takes requests as raw bytes, since parsing is decoding's affair; see lifecycle.Server."""

    def __init__(self, config: GrpcReceiver, intake: Intake) -> None:
        self._config = config
        self._intake = intake
        self._server: grpc.Server | None = None
        self.port = 0

    def start(self) -> None:
        server = grpc.server(
            ThreadPoolExecutor(max_workers=4, thread_name_prefix="otlp-grpc"),
            handlers=[
                grpc.method_handlers_generic_handler(
                    service, {"Export": grpc.unary_unary_rpc_method_handler(self._export(decode))}
                )
                for service, decode in _SERVICES.items()
            ],
            options=[
                ("grpc.max_receive_message_length", self._config.max_request_bytes),
                # Without this a second collector would share the port and take half of the requests.
                ("grpc.so_reuseport", 0),
            ],
        )
        try:
            self.port = server.add_insecure_port(self._config.address)
        except RuntimeError as error:
            raise PortError(self._config.address, "receivers.grpc.address") from error
        server.start()
        self._server = server

    def stop(self) -> None:
        if self._server:
            self._server.stop(GRACE_SECONDS).wait()
            self._server = None

    def _export(self, decode: Decode) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                self._intake.take(semconv.RECEIVER_GRPC, decode, body, Encoding.PROTOBUF)
            except MalformedError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            return _ACCEPTED

        return export
