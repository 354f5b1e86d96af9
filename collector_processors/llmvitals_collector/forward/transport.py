"""One attempt to send a request: what every transport takes, and how it may end."""

from importlib.metadata import version
from typing import Any, NamedTuple, Protocol

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from llmvitals_collector.decode import Encoding
from llmvitals_collector.receivers import Signal

USER_AGENT = f"llmvitals/{version('llmvitals')}"
# What a backend says is cut to this in our log.
SENTENCE_CHARACTERS = 200
# The answer to a request, and where it says how many records of it were rejected.
_RESPONSES: dict[Signal, tuple[type[Message], str]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
}


class Request(NamedTuple):
    """A request to send: its body, not compressed, and how many spans, log records or points are in it."""

    signal: Signal
    body: bytes
    encoding: Encoding
    records: int


class SendError(Exception):
    """A request was not accepted: why, in a sentence."""


class BusyError(SendError):
    """A request was not accepted, but may be later, at the earliest after `after_seconds`."""

    def __init__(self, sentence: str, after_seconds: float = 0.0) -> None:
        super().__init__(sentence)
        self.after_seconds = after_seconds


class Transport(Protocol):
    """A connection to one backend, of one thread."""

    def send(self, request: Request) -> int:
        """Send a request once; returns how many of its records the backend has rejected.

        Raises:
            BusyError: it may be accepted later.
            SendError: it never will be.
        """
        ...

    def close(self) -> None: ...


def rejected(signal: Signal, answer: bytes, content_type: str) -> int:
    """How many records a backend has rejected of a request that it accepted.

    https://opentelemetry.io/docs/specs/otlp/#partial-success
    """
    form, records = _RESPONSES[signal]
    response: Any = form()
    try:
        if content_type == Encoding.JSON.value:
            json_format.Parse(answer, response, ignore_unknown_fields=True)
        else:
            response.ParseFromString(answer)
    except (json_format.ParseError, DecodeError, UnicodeDecodeError):
        return 0  # it was accepted, whatever is said in addition
    return int(getattr(response.partial_success, records))
