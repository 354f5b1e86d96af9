"""Sending on over OTLP/gRPC. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.config import Destination
from llmvitals_collector.forward.recode import protobuf
from llmvitals_collector.forward.transport import (
    SENTENCE_CHARACTERS,
    USER_AGENT,
    BusyError,
    Request,
    SendError,
    rejected,
)
from llmvitals_collector.receivers import Signal
from llmvitals_collector.reread import read

_METHODS = {
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    Signal.METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
# What came in as JSON has to become.
_REQUESTS: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}
# https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only where the backend says when to come again.
_RETRIED = (
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
)
# gRPC would wait up to two minutes before it connects again, whatever we try meanwhile.
_RECONNECT = ("grpc.max_reconnect_backoff_ms", 5_000)


class Grpc:
    """A channel of one thread; see transport.Transport."""

    def __init__(self, config: Destination, key: str) -> None:
        tls = config.tls
        self._timeout = config.timeout_seconds
        self._metadata = tuple((name.lower(), value) for name, value in config.headers.items())
        parts = urlsplit(config.endpoint)
        compression = grpc.Compression.Gzip if config.compression == "gzip" else grpc.Compression.NoCompression
        options = (_RECONNECT, ("grpc.primary_user_agent", USER_AGENT))
        if parts.scheme == "https":
            ca, private, chain = (
                read(file, f"{key}.tls.{name}") if file else None
                for name, file in (("ca_file", tls.ca_file), ("key_file", tls.key_file), ("cert_file", tls.cert_file))
            )
            credentials = grpc.ssl_channel_credentials(ca, private, chain)
            self._channel = grpc.secure_channel(parts.netloc, credentials, options, compression)
        else:
            self._channel = grpc.insecure_channel(parts.netloc, options, compression)
        self._export: dict[Signal, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {
            signal: self._channel.unary_unary(method) for signal, method in _METHODS.items()
        }

    def send(self, request: Request) -> int:
        body = request.body
        if request.encoding is Encoding.JSON:
            body = protobuf(body, _REQUESTS[request.signal])
        try:
            answer = self._export[request.signal](body, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            after = _retry_info({each.key: each.value for each in error.trailing_metadata() or ()})
            sentence = f"answers {error.code().name}: {(error.details() or '')[:SENTENCE_CHARACTERS]}"
            if error.code() in _RETRIED or after is not None:
                raise BusyError(sentence, after or 0.0) from error
            raise SendError(sentence) from error
        return rejected(request.signal, answer, Encoding.PROTOBUF.value)

    def close(self) -> None:
        self._channel.close()


def _retry_info(trailers: Mapping[str, Any]) -> float | None:
    """The delay in seconds that a backend asks for, in one of the trailers in which it may; None where in neither."""
    info = RetryInfo()
    try:
        if details := trailers.get("grpc-status-details-bin"):
            if not any(each.Unpack(info) for each in Status.FromString(details).details):
                return None
        elif direct := trailers.get("google.rpc.retryinfo-bin"):
            info.ParseFromString(direct)
        else:
            return None
    except DecodeError:
        return None
    return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
