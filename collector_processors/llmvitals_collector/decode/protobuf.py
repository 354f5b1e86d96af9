"""OTLP in protobuf, by the official classes."""

from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals_collector.decode.walk import Value, Walk
from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.records import Records, Wanted

M = TypeVar("M", bound=Message)


def spans(body: bytes, wanted: Wanted) -> Records:
    """The spans in the body of an ExportTraceServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return Walk(wanted, _value).spans(_parsed(ExportTraceServiceRequest, body))


def log_records(body: bytes, wanted: Wanted) -> Records:
    """The log records in the body of an ExportLogsServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return Walk(wanted, _value).log_records(_parsed(ExportLogsServiceRequest, body))


def _parsed(message: type[M], body: bytes) -> M:
    try:
        return message.FromString(body)
    except DecodeError as error:
        raise MalformedError(f"the body is no {message.DESCRIPTOR.name} in protobuf") from error


def _value(value: Any) -> Value:
    # Most values are texts, and to ask which field is set costs more than to read this one.
    if text := value.string_value:
        return str(text)
    field = value.WhichOneof("value")
    if field == "array_value":
        return [_single(each, each.WhichOneof("value")) for each in value.array_value.values]
    return _single(value, field)


def _single(value: Any, field: str | None) -> Value:
    if field not in ("string_value", "int_value", "double_value", "bool_value"):
        return None
    single: str | float | bool = getattr(value, field)
    return single
