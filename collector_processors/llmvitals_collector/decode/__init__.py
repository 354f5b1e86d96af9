"""OTLP bytes to records: the one door through which data comes in.

A request is decoded whole or refused whole. https://opentelemetry.io/docs/specs/otlp/
"""

from llmvitals_collector.calls import Calls
from llmvitals_collector.decode import logs, otlp_json, traces
from llmvitals_collector.decode.choice import WALKER, walker
from llmvitals_collector.decode.encoding import Encoding
from llmvitals_collector.decode.framing import is_whole
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.results import Results

__all__ = ["WALKER", "Decoded", "Encoding", "MalformedError", "decode_logs", "decode_traces", "is_whole"]

_WALKERS = {Encoding.PROTOBUF: walker, Encoding.JSON: otlp_json}


def decode_traces(body: bytes, encoding: Encoding = Encoding.PROTOBUF, *, content: bool = False) -> Decoded[Calls]:
    """Decode the body of an ExportTraceServiceRequest; content: whether what was said in the calls is read, too.

    Raises:
        MalformedError: the body is no such message.
    """
    return traces.calls_in(_WALKERS[encoding].spans(body, traces.WITH_CONTENT if content else traces.WANTED))


def decode_logs(body: bytes, encoding: Encoding = Encoding.PROTOBUF) -> Decoded[Results]:
    """Decode the body of an ExportLogsServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return logs.results_in(_WALKERS[encoding].log_records(body, logs.WANTED))
