"""What a client is answered: an Export...ServiceResponse, or a google.rpc.Status, in the encoding of its request."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from llmvitals import semconv
from llmvitals_collector.decode import Encoding, MalformedError
from llmvitals_collector.receivers import Intake, RefusedError, Rejected, Signal

_logger = logging.getLogger(__name__)

# Why a request is refused -> how that is told over gRPC and over HTTP. Clients repeat what is RESOURCE_EXHAUSTED,
# UNAVAILABLE, 429 or 503, so only what may be taken the next time is.
# https://opentelemetry.io/docs/specs/otlp/#failures, #failures-1
CODES: Mapping[str, tuple[int, HTTPStatus]] = {
    semconv.MALFORMED: (Code.INVALID_ARGUMENT, HTTPStatus.BAD_REQUEST),
    semconv.TOO_LARGE: (Code.INVALID_ARGUMENT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    semconv.UNSUPPORTED_TYPE: (Code.INVALID_ARGUMENT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    semconv.UNAUTHENTICATED: (Code.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED),
    semconv.ABORTED: (Code.CANCELLED, HTTPStatus.REQUEST_TIMEOUT),
    semconv.BUSY: (Code.RESOURCE_EXHAUSTED, HTTPStatus.TOO_MANY_REQUESTS),
    semconv.UNAVAILABLE: (Code.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    semconv.INTERNAL: (Code.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR),
}
_NOTHING_REJECTED = {Encoding.PROTOBUF: b"", Encoding.JSON: b"{}"}


def taken(intake: Intake, receiver: str, signal: Signal, body: bytes, encoding: Encoding) -> bytes:
    """Give a request to the intake: the body of the answer.

    Raises:
        RefusedError: it was not taken.
    """
    try:
        rejected = intake.take(receiver, signal, body, encoding)
    except RefusedError:
        raise
    except MalformedError as error:
        raise RefusedError(semconv.MALFORMED, str(error)) from error
    except Exception as error:
        _logger.exception("a request over %s failed", receiver)
        raise RefusedError(semconv.INTERNAL, "the collector failed on this request; its log says why") from error
    return encoded(_response(signal, rejected), encoding) if rejected else _NOTHING_REJECTED[encoding]


def _response(signal: Signal, rejected: Rejected) -> Message:
    """https://opentelemetry.io/docs/specs/otlp/#partial-success."""
    if signal is Signal.TRACES:
        spans = ExportTracePartialSuccess(rejected_spans=rejected.count, error_message=rejected.reason)
        return ExportTraceServiceResponse(partial_success=spans)
    records = ExportLogsPartialSuccess(rejected_log_records=rejected.count, error_message=rejected.reason)
    return ExportLogsServiceResponse(partial_success=records)


def retry_info(seconds: float) -> RetryInfo:
    """When to come again. https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto."""
    delay = RetryInfo()
    delay.retry_delay.FromNanoseconds(int(seconds * 1e9))
    return delay


def status(refused: RefusedError) -> Status:
    """A refusal as both protocols tell it, with a RetryInfo where it is to be tried again."""
    answer = Status(code=CODES[refused.reason][0], message=str(refused))
    if refused.retry_after_seconds is not None:
        answer.details.add().Pack(retry_info(refused.retry_after_seconds))
    return answer


def encoded(message: Message, encoding: Encoding) -> bytes:
    if encoding is Encoding.PROTOBUF:
        return message.SerializeToString()
    return MessageToJson(message, indent=None).encode()
