"""People's grades as the log events that every verdict comes in as, and their way to a collector."""

import time
from collections.abc import Iterable
from hashlib import blake2b

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from llmvitals import semconv
from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.transport import BusyError, Request, SendError, Transport
from llmvitals_collector.receivers import Signal
from llmvitals_collector.result_events import ResultEvents, Told
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
    """An event for each grade, on the span of its call; now: seconds since the epoch."""
    events = ResultEvents(__name__, now)
    for item, entry in grades:
        ids = int(item.trace_id, 16), int(item.span_id, 16)
        events.about(item.service, *ids, _of_call(item)).add(_of_grade(item, entry))
    return events.request


def _of_call(item: Item) -> Told:
    return {
        semconv.PROVIDER_NAME: item.provider,
        semconv.OPERATION_NAME: item.operation,
        semconv.REQUEST_MODEL: item.model,
        semconv.PROMPT_NAME: item.template,
        semconv.PROMPT_VERSION: item.template_version,
        semconv.RELEASE: item.release,
        semconv.EVALUATION_SET: semconv.LIVE,
        semconv.EVALUATION_LANGUAGE: item.language,
        semconv.EVALUATION_LATENCY_BAND: item.latency_band,
        semconv.EVALUATION_ANSWERED_AT: item.answered_at,
    }


def _of_grade(item: Item, entry: Entry) -> Told:
    return {
        semconv.EVALUATION_ID: blake2b(f"{entry.item}\0{entry.grader}".encode(), digest_size=16).hexdigest(),
        semconv.EVALUATION_NAME: item.dimension,
        semconv.EVALUATION_TRACK: item.track,
        semconv.EVALUATION_SOURCE: semconv.SOURCE_HUMAN,
        semconv.EVALUATOR_NAME: entry.grader,
        semconv.EVALUATION_RUBRIC: item.rubric,
        semconv.EVALUATION_SCORE_LABEL: entry.verdict,
        semconv.EVALUATION_SCORE_VALUE: entry.score,
        semconv.EVALUATION_STRATUM: semconv.UNIFORM if entry.uniform else semconv.FLAGGED,
        semconv.EVALUATION_WEIGHT: item.weight,
        semconv.JUDGE_NAME: item.judge,
        semconv.JUDGE_VERDICT: item.judge_verdict,
        semconv.JUDGE_SCORE: item.judge_score,
        semconv.PEER_VERDICT: entry.peer,
    }
