"""Log records to verdicts about calls."""

from collections import Counter
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from llmvitals import semconv
from llmvitals_collector.decode import attributes
from llmvitals_collector.decode.decoded import Decoded
from llmvitals_collector.results import FEEDBACK_KINDS, Results

# The event carries the labels of the call that it is about, because it may come long after that call.
_NAMES = {
    semconv.PROVIDER_NAME: "provider",
    semconv.OPERATION_NAME: "operation",
    semconv.REQUEST_MODEL: "model",
    semconv.PROMPT_NAME: "template",
    semconv.EVALUATION_NAME: "name",
    semconv.EVALUATION_SOURCE: "source",
    semconv.EVALUATION_SCORE_LABEL: "kind",
    semconv.EVALUATION_SCORE_VALUE: "score",
}
_WANTED = attributes.wanted(_NAMES, Results)


def results_in(request: ExportLogsServiceRequest) -> Decoded[Results]:
    """Take users' feedback out of a batch of log records."""
    rows = []
    received: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    for resource_logs in request.resource_logs:
        service = attributes.service(resource_logs.resource)
        for scope_logs in resource_logs.scope_logs:
            received[service] += len(scope_logs.log_records)
            for record in scope_logs.log_records:
                if record.event_name != semconv.EVALUATION_RESULT:
                    ignored[semconv.NOT_AN_EVALUATION] += 1
                elif (row := _feedback(record)) is None:
                    ignored[semconv.NOT_FEEDBACK] += 1
                else:
                    rows.append({"service": service, **row})
    return Decoded(Results.from_rows(rows), received, ignored)


def _feedback(record: LogRecord) -> dict[str, Any] | None:
    row = attributes.row(attributes.read(record.attributes, _WANTED), _NAMES)
    if row.get("name") != semconv.USER_FEEDBACK:
        return None
    if row.get("kind") not in FEEDBACK_KINDS:
        row["kind"] = semconv.OTHER
    return {"source": semconv.SOURCE_USER, **row}
