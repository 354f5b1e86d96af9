"""A user's feedback as the log event that every verdict comes in as."""

import time

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from llmvitals import semconv
from llmvitals._handle import Handle, feedback_id
from llmvitals_collector.feedback.given import Feedback

_OF_RESOURCE = (semconv.SERVICE_NAME, semconv.SERVICE_VERSION)
_SAMPLED = 1  # https://www.w3.org/TR/trace-context/#trace-flags


def request_of(call: Handle, feedback: Feedback) -> bytes:
    """An ExportLogsServiceRequest of one `gen_ai.evaluation.result`, on the span of the call and of its service.

    https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`.
    """
    told = {
        **{name: text for name, text in call.identity.items() if name not in _OF_RESOURCE},
        semconv.EVALUATION_NAME: semconv.USER_FEEDBACK,
        semconv.EVALUATION_SOURCE: semconv.SOURCE_USER,
        semconv.EVALUATION_SCORE_LABEL: feedback.kind,
        semconv.EVALUATION_ID: feedback_id(call.trace_id, call.span_id, feedback.kind).hex(),
        semconv.EVALUATION_EXPLANATION: feedback.comment,
    }
    attributes = [_attribute(name, AnyValue(string_value=text)) for name, text in told.items() if text]
    score = semconv.FEEDBACK_SCORES[feedback.kind] if feedback.value is None else feedback.value
    if score is not None:
        attributes.append(_attribute(semconv.EVALUATION_SCORE_VALUE, AnyValue(double_value=score)))
    now = time.time_ns()
    record = LogRecord(
        time_unix_nano=now,
        observed_time_unix_nano=now,
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        event_name=semconv.EVALUATION_RESULT,
        trace_id=call.trace_id.to_bytes(16),
        span_id=call.span_id.to_bytes(8),
        flags=_SAMPLED if call.sampled else 0,
        attributes=attributes,
    )
    service = [
        _attribute(name, AnyValue(string_value=call.identity[name])) for name in _OF_RESOURCE if name in call.identity
    ]
    logs = ScopeLogs(scope=InstrumentationScope(name="llmvitals"), log_records=[record])
    request = ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=Resource(attributes=service), scope_logs=[logs])]
    )
    return request.SerializeToString()


def _attribute(name: str, value: AnyValue) -> KeyValue:
    return KeyValue(key=name, value=value)
