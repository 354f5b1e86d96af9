"""Findings as `gen_ai.evaluation.result` events: the one form in which verdicts come in, from wherever."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs, SeverityNumber

from llmvitals import semconv
from llmvitals_collector.evaluation.answered import Answered

_SCOPE = "llmvitals_collector.evaluation"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an evaluator says of an answer.

    name: the dimension, or semconv.USER_FEEDBACK, or of what is only a failure the evaluator's name.
    source: of semconv.SOURCES. evaluator: a heuristic's name, or a judge's model; version: of a heuristic or a rubric.
    label: of semconv.RESULT_VERDICTS or semconv.FEEDBACK_SCORES; "" for what is only a failure.
    score: 0 to 1, None where there is none. mode: of semconv.FAILURE_MODES, "" for none; primary: whether it is the
    primary one of the answer. chance: with which the answer was looked at. rubric: its hash. error: why there is no
    verdict, low-cardinality. explanation: content.
    """

    name: str
    source: str
    evaluator: str
    version: str = ""
    label: str = ""
    score: float | None = None
    mode: str = ""
    primary: bool = False
    chance: float = 1.0
    stratum: str = semconv.UNIFORM
    track: str = ""
    rubric: str = ""
    threshold: float | None = None
    error: str = ""
    explanation: str = ""


class Found(NamedTuple):
    """All that was found in an answer. language: of it, as ISO 639-1 has it, "" is unknown."""

    answer: Answered
    language: str
    findings: list[Finding]


def request(found: Iterable[Found], now: float) -> bytes:
    """The body of an ExportLogsServiceRequest with an event for each finding; now: seconds since the epoch."""
    message = ExportLogsServiceRequest()
    services: dict[str, ScopeLogs] = {}
    for answer, language, found_in_it in found:
        if not found_in_it:
            continue
        scope_logs = services.get(answer.service)
        if scope_logs is None:
            scope_logs = services[answer.service] = _service(message, answer.service)
        common = _common(answer, language, now)
        for finding in found_in_it:
            record = scope_logs.log_records.add()
            record.CopyFrom(common)
            _write(record, answer, finding)
    return message.SerializeToString()


def _service(message: ExportLogsServiceRequest, service: str) -> ScopeLogs:
    resource_logs = message.resource_logs.add()
    resource_logs.resource.attributes.append(_attribute(semconv.SERVICE_NAME, service))
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = _SCOPE
    return scope_logs


def _common(answer: Answered, language: str, now: float) -> LogRecord:
    """What all events of an answer have: copied whole, which is a third of the work of writing it again."""
    record = LogRecord(
        event_name=semconv.EVALUATION_RESULT,
        time_unix_nano=int(now * 1e9),
        observed_time_unix_nano=int(now * 1e9),
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        trace_id=answer.trace_id.to_bytes(16),
        span_id=answer.span_id.to_bytes(8),
    )
    told = {
        semconv.PROVIDER_NAME: answer.provider,
        semconv.OPERATION_NAME: answer.operation,
        semconv.REQUEST_MODEL: answer.model,
        semconv.PROMPT_NAME: answer.template,
        semconv.PROMPT_VERSION: answer.template_version,
        semconv.RELEASE: answer.release,
        semconv.EVALUATION_SET: semconv.LIVE,
        semconv.EVALUATION_LANGUAGE: language,
        semconv.EVALUATION_LATENCY_BAND: answer.latency_band,
        semconv.EVALUATION_ANSWERED_AT: None if math.isnan(answer.answered_at) else answer.answered_at,
    }
    _add(record, told)
    return record


def _write(record: LogRecord, answer: Answered, finding: Finding) -> None:
    told = {
        semconv.EVALUATION_ID: _id(answer, finding),
        semconv.EVALUATION_NAME: finding.name,
        semconv.EVALUATION_SOURCE: finding.source,
        semconv.EVALUATOR_NAME: finding.evaluator,
        semconv.EVALUATOR_VERSION: finding.version,
        semconv.EVALUATION_SCORE_LABEL: finding.label,
        semconv.EVALUATION_SCORE_VALUE: finding.score,
        semconv.EVALUATION_THRESHOLD: finding.threshold,
        semconv.EVALUATION_TRACK: finding.track,
        semconv.EVALUATION_RUBRIC: finding.rubric,
        semconv.EVALUATION_WEIGHT: answer.weight / finding.chance,
        semconv.EVALUATION_STRATUM: finding.stratum,
        semconv.EVALUATION_MODE: finding.mode,
        semconv.EVALUATION_PRIMARY: finding.primary if finding.mode else None,
        semconv.ERROR_TYPE: finding.error,
        semconv.EVALUATION_EXPLANATION: finding.explanation,
    }
    _add(record, told)
    if finding.error:
        record.severity_number = SeverityNumber.SEVERITY_NUMBER_WARN


def _add(record: LogRecord, told: dict[str, Any]) -> None:
    record.attributes.extend(_attribute(key, value) for key, value in told.items() if value not in (None, ""))


def _attribute(key: str, value: str | float) -> KeyValue:
    if isinstance(value, str):
        # A text that came over the wire may hold half a character, which no protobuf takes.
        return KeyValue(key=key, value=AnyValue(string_value=value.encode("utf-8", "replace").decode()))
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    return KeyValue(key=key, value=AnyValue(double_value=value))


def _id(answer: Answered, finding: Finding) -> str:
    """The same for the same answer, evaluator and rubric, so that a repetition counts once."""
    told = (answer.trace_id, answer.span_id, finding.evaluator, finding.rubric)
    return blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
