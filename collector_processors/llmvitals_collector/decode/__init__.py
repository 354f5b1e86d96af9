"""OTLP bytes to records: the one door through which data comes in.

A batch is decoded whole or refused whole. https://opentelemetry.io/docs/specs/otlp/
"""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals_collector.calls import Calls
from llmvitals_collector.decode import logs, traces
from llmvitals_collector.decode.decoded import Decoded
from llmvitals_collector.decode.message import Encoding, MalformedError, parse
from llmvitals_collector.results import Results

__all__ = ["Decoded", "Encoding", "MalformedError", "decode_logs", "decode_traces"]


def decode_traces(body: bytes, encoding: Encoding = Encoding.PROTOBUF) -> Decoded[Calls]:
    """Decode the body of an ExportTraceServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return traces.calls_in(parse(ExportTraceServiceRequest, body, encoding))


def decode_logs(body: bytes, encoding: Encoding = Encoding.PROTOBUF) -> Decoded[Results]:
    """Decode the body of an ExportLogsServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return logs.results_in(parse(ExportLogsServiceRequest, body, encoding))
