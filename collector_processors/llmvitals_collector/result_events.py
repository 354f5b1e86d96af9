"""Results as `gen_ai.evaluation.result` events: the one form in which verdicts come in, whoever gives them.

https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`.
"""

from collections.abc import Mapping
from typing import TypeAlias

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs, SeverityNumber

from llmvitals import semconv

Told: TypeAlias = Mapping[str, str | float | None]
"""Attribute -> value; what is None or "" is left out."""

_SAMPLED = 1  # https://www.w3.org/TR/trace-context/#trace-flags


class Call:
    """The call that results are about, to which they are added."""

    def __init__(self, of_service: ScopeLogs, common: LogRecord) -> None:
        self._of_service = of_service
        self._common = common

    def add(self, told: Told) -> None:
        """Add a result, with what it says beside what all results about the call do."""
        record = self._of_service.log_records.add()
        record.CopyFrom(self._common)  # a third of the work of writing it again
        record.attributes.extend(_attributes(told))
        if told.get(semconv.ERROR_TYPE):
            record.severity_number = SeverityNumber.SEVERITY_NUMBER_WARN


class ResultEvents:
    """A request of results.

    scope: who tells them. now: when, in seconds since the epoch.
    request: what there is so far.
    """

    def __init__(self, scope: str, now: float) -> None:
        self.request = ExportLogsServiceRequest()
        self._scope = scope
        self._nanoseconds = int(now * 1e9)
        self._services: dict[str, ScopeLogs] = {}

    def about(self, service: str, trace_id: int, span_id: int, told: Told, *, sampled: bool = False) -> Call:
        """The call with these ids; service: that has made it. told: what all results about it say."""
        if service not in self._services:
            resource_logs = self.request.resource_logs.add()
            resource_logs.resource.attributes.extend(_attributes({semconv.SERVICE_NAME: service}))
            self._services[service] = resource_logs.scope_logs.add()
            self._services[service].scope.name = self._scope
        common = LogRecord(
            event_name=semconv.EVALUATION_RESULT,
            time_unix_nano=self._nanoseconds,
            observed_time_unix_nano=self._nanoseconds,
            severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
            trace_id=trace_id.to_bytes(16),
            span_id=span_id.to_bytes(8),
            flags=_SAMPLED if sampled else 0,
            attributes=_attributes(told),
        )
        return Call(self._services[service], common)


def _attributes(told: Told) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in told.items() if value is not None and value != ""]


def _value(value: str | float) -> AnyValue:
    if isinstance(value, str):
        # A text that came over the wire may hold half a character, which no protobuf takes.
        return AnyValue(string_value=value.encode("utf-8", "replace").decode())
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    return AnyValue(double_value=value)
