"""Spans to calls."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.decode import attributes
from llmvitals_collector.decode.decoded import Decoded
from llmvitals_collector.dialects import DIALECTS, Dialect

# Every attribute that any dialect reads; the rest of a span is never looked at.
_WANTED = {key: fields for dialect in DIALECTS for key, fields in attributes.wanted(dialect.COLUMNS, Calls).items()}
_NANOSECONDS = 1e9


def calls_in(request: ExportTraceServiceRequest) -> Decoded[Calls]:
    """Take the calls out of a batch of spans."""
    rows = []
    received: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    for resource_spans in request.resource_spans:
        service = attributes.service(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            received[service] += len(scope_spans.spans)
            for span in scope_spans.spans:
                values = attributes.read(span.attributes, _WANTED)
                dialect = next((each for each in DIALECTS if each.is_mine(scope_spans.scope.name, values)), None)
                if dialect is None:
                    ignored[semconv.NOT_GEN_AI] += 1
                    continue
                row = _call(span, values, dialect)
                if row.get("operation") in semconv.CALL_OPERATIONS:
                    row["service"] = service
                    rows.append(row)
                else:
                    ignored[semconv.NOT_A_CALL] += 1
    return Decoded(Calls.from_rows(rows), received, ignored)


def _call(span: Span, values: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    row = attributes.row(values, dialect.COLUMNS)
    row["failed"] = span.status.code == Status.STATUS_CODE_ERROR or "error_type" in row
    if span.end_time_unix_nano:
        row["end_time"] = span.end_time_unix_nano / _NANOSECONDS
    # A span without a start, or one that ends before it, has no duration; the call counts all the same.
    if 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
        row["duration"] = (span.end_time_unix_nano - span.start_time_unix_nano) / _NANOSECONDS
    return row
