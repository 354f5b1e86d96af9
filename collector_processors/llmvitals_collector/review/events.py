"""People's grades as the log events that every verdict comes in as, and their way to a collector."""

import time
from collections.abc import Iterable
from hashlib import blake2b

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs, SeverityNumber

from llmvitals import semconv
from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.transport import BusyError, Request, SendError, Transport
from llmvitals_collector.receivers import Signal
from llmvitals_collector.review.item import Item
from llmvitals_collector.review.ledger import Entry

_WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds before each further attempt
_LONGEST_WAIT = 60.0


def deliver(request: ExportLogsServiceRequest, transport: Transport) -> None:
    """Send a request until it is accepted; for some seconds, or longer where the collector asks for it.

    Raises:
        SendError: it is not, or not all of it.
    """
    records = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
    sent = Request(Signal.LOGS, request.SerializeToString(), Encoding.PROTOBUF, records)
    for wait in (*_WAITS, None):
        try:
            rejected = transport.send(sent)
            break
        except BusyError as error:
            if wait is None:
                raise
            time.sleep(min(max(wait, error.after_seconds), _LONGEST_WAIT))
    if rejected:
        raise SendError(f"rejects {rejected} of {records} grades")


def request(grades: Iterable[tuple[Item, Entry]], now: float) -> ExportLogsServiceRequest:
    """An event `gen_ai.evaluation.result` for each grade, on the span of its call; now: seconds since the epoch.

    https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`.
    """
    message = ExportLogsServiceRequest()
    services: dict[str, ScopeLogs] = {}
    for item, entry in grades:
        if item.service not in services:
            resource_logs = message.resource_logs.add()
            resource_logs.resource.attributes.append(_attribute(semconv.SERVICE_NAME, item.service))
            services[item.service] = resource_logs.scope_logs.add()
            services[item.service].scope.name = __name__
        told = _told(item, entry)
        record = LogRecord(
            event_name=semconv.EVALUATION_RESULT,
            time_unix_nano=int(now * 1e9),
            observed_time_unix_nano=int(now * 1e9),
            severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
            trace_id=bytes.fromhex(item.trace_id),
            span_id=bytes.fromhex(item.span_id),
            attributes=[_attribute(name, value) for name, value in told.items() if value is not None and value != ""],
        )
        services[item.service].log_records.append(record)
    return message


def _told(item: Item, entry: Entry) -> dict[str, str | float | None]:
    stratum = semconv.UNIFORM if entry.uniform else semconv.FLAGGED
    return {
        semconv.PROVIDER_NAME: item.provider,
        semconv.OPERATION_NAME: item.operation,
        semconv.REQUEST_MODEL: item.model,
        semconv.PROMPT_NAME: item.template,
        semconv.PROMPT_VERSION: item.template_version,
        semconv.RELEASE: item.release,
        semconv.EVALUATION_ID: blake2b(f"{entry.item}\0{entry.grader}".encode(), digest_size=16).hexdigest(),
        semconv.EVALUATION_NAME: item.dimension,
        semconv.EVALUATION_TRACK: item.track,
        semconv.EVALUATION_SOURCE: semconv.SOURCE_HUMAN,
        semconv.EVALUATOR_NAME: entry.grader,
        semconv.EVALUATION_RUBRIC: item.rubric,
        semconv.EVALUATION_SCORE_LABEL: entry.verdict,
        semconv.EVALUATION_SCORE_VALUE: entry.score,
        semconv.EVALUATION_SET: semconv.LIVE,
        semconv.EVALUATION_STRATUM: stratum,
        semconv.EVALUATION_WEIGHT: item.weight,
        semconv.EVALUATION_ANSWERED_AT: item.answered_at,
        semconv.EVALUATION_LANGUAGE: item.language,
        semconv.EVALUATION_LATENCY_BAND: item.latency_band,
        semconv.JUDGE_NAME: item.judge,
        semconv.JUDGE_VERDICT: item.judge_verdict,
        semconv.JUDGE_SCORE: item.judge_score,
        semconv.PEER_VERDICT: entry.peer,
    }


def _attribute(name: str, value: str | float) -> KeyValue:
    told = AnyValue(string_value=value) if isinstance(value, str) else AnyValue(double_value=value)
    return KeyValue(key=name, value=told)
