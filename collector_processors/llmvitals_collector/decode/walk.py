"""Parsed OTLP messages to columns: the readable walker, and the oracle of the compiled one."""

import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags, Status

from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.records import Attributes, Codes, Events, Ids, Records, Wanted

# An AnyValue's own value: a text, a number, a boolean, a list of those, or None for what is of no use.
Value: TypeAlias = str | float | bool | list[Any] | None
Read: TypeAlias = Callable[[Any], Value]
Cells: TypeAlias = dict[int, Any]  # row -> value

# https://www.w3.org/TR/trace-context/#sampled-flag
_SAMPLED = 1
# Of a request. A span takes two bytes at least, and some hundred once it is read: sixteen megabytes of empty ones would
# become gigabytes.
MOST_RECORDS = 1 << 18
_NO_TRACE_ID, _NO_ID = bytes(16), bytes(8)


class Walk:
    """Goes through the records of a request once, noting what is wanted of each.

    `read` takes the value out of an AnyValue of the form that the messages have: protobuf's or JSON's.
    """

    def __init__(self, wanted: Wanted, read: Read) -> None:
        self._wanted = wanted
        self._read = read
        self._attributes: dict[str, Cells] = {key: {} for key in wanted.attributes}
        self._event_attributes: dict[str, Cells] = {key: {} for key in wanted.event_attributes}
        self._resources: list[tuple[int, dict[str, str]]] = []  # how many records, and what their resource is
        self._announced = 0  # how many records those resources have
        self._scopes: list[tuple[int, str]] = []
        self._records: list[tuple[bytes, bytes, bytes, int, int, bool, bool, bool, str, str]] = []
        self._events: list[tuple[int, str, int]] = []

    def spans(self, request: Any) -> Records:
        """The spans of an ExportTraceServiceRequest."""
        for resource_spans in request.resource_spans:
            self._resource(resource_spans.resource, sum(len(each.spans) for each in resource_spans.scope_spans))
            for scope_spans in resource_spans.scope_spans:
                self._scopes.append((len(scope_spans.spans), scope_spans.scope.name))
                for span in scope_spans.spans:
                    self._span(span)
        return self._finished()

    def log_records(self, request: Any) -> Records:
        """The log records of an ExportLogsServiceRequest."""
        for resource_logs in request.resource_logs:
            self._resource(resource_logs.resource, sum(len(each.log_records) for each in resource_logs.scope_logs))
            for scope_logs in resource_logs.scope_logs:
                self._scopes.append((len(scope_logs.log_records), scope_logs.scope.name))
                for each in scope_logs.log_records:
                    time = each.time_unix_nano or each.observed_time_unix_nano
                    self._note(each.attributes, self._attributes, len(self._records))
                    row = (each.trace_id, each.span_id, b"", time, time, False, False, True, each.event_name, "")
                    self._records.append(row)
        return self._finished()

    def _span(self, span: Any) -> None:
        row = len(self._records)
        self._note(span.attributes, self._attributes, row)
        seen = set()
        for event in span.events:
            repeated = self._wanted.events.get(event.name)
            if repeated or (repeated is False and event.name not in seen):
                seen.add(event.name)
                self._note(event.attributes, self._event_attributes, len(self._events))
                self._events.append((row, event.name, event.time_unix_nano))
        self._records.append(
            (
                span.trace_id,
                span.span_id,
                span.parent_span_id,
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                span.status.code == Status.STATUS_CODE_ERROR,
                span.kind == Span.SPAN_KIND_CLIENT,
                _is_sampled(span.flags),
                span.name,
                span.trace_state,
            )
        )

    def _note(self, attributes: Iterable[Any], columns: Mapping[str, Cells], row: int) -> None:
        # The loop in which this walker spends its time: of most attributes only the key is touched.
        for attribute in attributes:
            column = columns.get(attribute.key)
            if column is not None:
                column[row] = self._read(attribute.value)

    def _resource(self, resource: Any, records: int) -> None:
        self._announced += records
        if self._announced > MOST_RECORDS:
            raise MalformedError(f"the request has more than {MOST_RECORDS} spans or log records")
        values = {each.key: self._read(each.value) for each in resource.attributes if each.key in self._wanted.resource}
        self._resources.append(
            (records, {key: value for key, value in values.items() if value and isinstance(value, str)})
        )

    def _finished(self) -> Records:
        """Turn what was noted into columns."""
        codes = {"": 0}

        def coded(texts: Iterable[str]) -> Codes:
            return np.array([codes.setdefault(text, len(codes)) for text in texts], np.int32)

        def spread(texts: Iterable[str], counts: list[int]) -> Codes:
            return np.repeat(coded(texts), counts)

        columns = zip(*self._records, strict=True) if self._records else [()] * 10
        trace_id, span_id, parent_id, start, end, failed, client, sampled, name, trace_state = columns
        of_spans, event_name, event_time = zip(*self._events, strict=True) if self._events else ((), (), ())
        counts = [count for count, _ in self._resources]
        keys = {key for _, resource in self._resources for key in resource}
        return Records(
            trace_id=_ids(trace_id, _NO_TRACE_ID).reshape(-1, 2),
            span_id=_ids(span_id, _NO_ID),
            parent_id=_ids(parent_id, _NO_ID),
            start=np.array(start, np.uint64),
            end=np.array(end, np.uint64),
            failed=np.array(failed, np.bool_),
            client=np.array(client, np.bool_),
            sampled=np.array(sampled, np.bool_),
            name=coded(name),
            scope=spread((scope for _, scope in self._scopes), [count for count, _ in self._scopes]),
            trace_state=coded(trace_state),
            resource={key: spread((each.get(key, "") for _, each in self._resources), counts) for key in keys},
            attributes=_attributes(self._attributes, len(self._records), self._wanted, coded),
            events=Events(
                span=np.array(of_spans, np.int32),
                name=coded(event_name),
                time=np.array(event_time, np.uint64),
                attributes=_attributes(self._event_attributes, len(self._events), Wanted(), coded),
            ),
            strings=list(codes),
        )


def _attributes(
    columns: Mapping[str, Cells], rows: int, wanted: Wanted, coded: Callable[[Iterable[str]], Codes]
) -> Attributes:
    attributes = Attributes()
    for key, cells in columns.items():
        if not cells:
            continue
        if key in wanted.vectors:
            vectors = {row: value for row, value in cells.items() if _is_vector(value, wanted.vectors[key])}
            if vectors:
                column = attributes.vectors[key] = np.zeros((rows, wanted.vectors[key]))
                column[list(vectors)] = list(vectors.values())
            continue
        texts: dict[int, str] = {}
        numbers: dict[int, float] = {}
        for row, value in cells.items():
            # Of an array counts what it begins with, if that is a text.
            first = value[0] if isinstance(value, list) and value else value
            if isinstance(first, str):
                if first:
                    texts[row] = first
            elif isinstance(value, (int, float)):
                numbers[row] = value
        if texts and key in wanted.hashed:
            hashes = [1 << 32 | zlib.crc32(text.encode()) for text in texts.values()]
            attributes.hashes[key] = _column(rows, texts, np.array(hashes, np.uint64), 0)
        elif texts:
            attributes.texts[key] = _column(rows, texts, coded(texts.values()), 0)
        if numbers and key not in wanted.hashed:
            attributes.numbers[key] = _column(rows, numbers, np.array(list(numbers.values()), np.float64), math.nan)
    return attributes


def _is_vector(value: Value, width: int) -> bool:
    return isinstance(value, list) and len(value) == width and all(isinstance(each, (int, float)) for each in value)


def _column(rows: int, cells: Cells, values: NDArray[Any], absent: float) -> NDArray[Any]:
    column = np.full(rows, absent, values.dtype)
    column[np.fromiter(cells, np.intp, len(cells))] = values
    return column


def _ids(ids: Iterable[bytes], absent: bytes) -> Ids:
    whole = b"".join(each if len(each) == len(absent) else absent for each in ids)
    return np.frombuffer(whole, ">u8").astype(np.uint64)


def _is_sampled(flags: int) -> bool:
    # OpenTelemetry's SDK for Python (1.45) leaves the flags of the trace out, and sends those of the span only.
    of_trace = flags & SpanFlags.SPAN_FLAGS_TRACE_FLAGS_MASK
    return not of_trace or bool(of_trace & _SAMPLED)
