"""Spans to calls: each span is read by the first dialect that it speaks."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.calls import CONTENT, Calls
from llmvitals_collector.columns import FORMS
from llmvitals_collector.decode import own_spans
from llmvitals_collector.decode.results import ATTRIBUTES as OF_RESULTS
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.dialects import DIALECTS
from llmvitals_collector.dialects.table import NANOSECONDS, Reading, Source, wanted
from llmvitals_collector.records import Mask, Records

# What every dialect leaves to OpenTelemetry itself.
_COMMON = (Source("error_type", "exception.type", event="exception"),)
# Only read where something is to be evaluated: it is most of what comes.
CONTENT_ATTRIBUTES = frozenset(
    source.key for dialect in DIALECTS for source in dialect.table if source.column in CONTENT and not source.path
)
_TABLES = [(*dialect.table, *_COMMON) for dialect in DIALECTS]
_OF_DIALECTS = wanted(
    _TABLES,
    resource=(semconv.SERVICE_NAME, semconv.SERVICE_VERSION),
    further=[*(key for dialect in DIALECTS for key in dialect.further), *own_spans.ATTRIBUTES],
)
# With what was said, and without.
WITH_CONTENT = _OF_DIALECTS._replace(
    events={**_OF_DIALECTS.events, semconv.EVALUATION_RESULT: True},
    event_attributes=_OF_DIALECTS.event_attributes | OF_RESULTS,
)
WANTED = WITH_CONTENT._replace(attributes=WITH_CONTENT.attributes - CONTENT_ATTRIBUTES)
_ABSENT = {kind: absent or 0 for kind, (_, absent) in FORMS.items()}
_KINDS = {column.name: column.kind for column in Calls.decoded}
_COUNTED, _ANOTHER, _NOT_GEN_AI, _NOT_A_CALL, _INVALID_IDS = map(
    semconv.VERDICTS.index,
    (semconv.COUNTED, semconv.ANOTHER_RECORD, semconv.NOT_GEN_AI, semconv.NOT_A_CALL, semconv.INVALID_IDS),
)


def calls_in(records: Records) -> Decoded[Calls]:
    """Take the calls out of the spans of a request."""
    reading = Reading(records)
    whose = _whose(records)
    columns: dict[str, NDArray[Any]] = {}
    for place in np.flatnonzero(np.bincount(whose + 1, minlength=1)).tolist():
        if place:
            _fill(columns, place - 1, whose == place - 1, reading)
    spoken = whose >= 0
    is_call = _are_calls(columns.get("operation"), reading) & spoken
    valid = ((records.trace_id[:, 0] | records.trace_id[:, 1]) > 0) & (records.span_id > 0)
    own = own_spans.own_spans(records)
    verdicts = np.where(is_call, np.where(valid, _COUNTED, _INVALID_IDS), np.where(spoken, _NOT_A_CALL, _NOT_GEN_AI))
    verdicts = np.where(own & ~is_call, _ANOTHER, verdicts)
    services = _of_spans(columns, records, reading)
    calls = Calls.formed(reading.strings, columns)
    found = Counter({semconv.VERDICTS[place]: count for place, count in _counts(verdicts)})
    return Decoded(
        records=calls if found[semconv.COUNTED] == len(records) else calls.where(verdicts == _COUNTED),
        received=services,
        ignored=Counter({reason: found[reason] for reason in semconv.IGNORED_SPAN_REASONS if found[reason]}),
        rejected=Counter({reason: found[reason] for reason in semconv.REJECTED_REASONS if found[reason]}),
        told=records,
        verdicts=verdicts.astype(np.int8),
        dialects=whose,
        beside=own_spans.beside_calls(records),
    )


def _counts(places: NDArray[Any]) -> list[tuple[int, int]]:
    """How often each place occurs that does."""
    return [(place, count) for place, count in enumerate(np.bincount(places).tolist()) if count]


def _whose(records: Records) -> NDArray[np.int8]:
    """The place in DIALECTS of each span's dialect, -1 where it speaks none."""
    whose = np.full(len(records), -1, np.int8)
    for place, dialect in reversed([*enumerate(DIALECTS)]):
        mine = dialect.is_mine(records)
        if mine is not records.none:
            np.copyto(whose, place, where=mine)  # over those behind it
    return whose


def _fill(columns: dict[str, NDArray[Any]], place: int, mine: NDArray[np.bool_], reading: Reading) -> None:
    """Read the spans of one dialect into the columns."""
    dialect = DIALECTS[place]
    read = reading.columns(_TABLES[place])
    if dialect.adjust:
        dialect.adjust(read, reading)
    read["dialect"] = np.full(len(mine), reading.code(dialect.name), np.int32)
    if mine.all():
        columns.update(read)
        return
    for name, array in read.items():
        rows = mine.reshape(-1, *[1] * (array.ndim - 1))
        columns[name] = np.where(rows, array, columns.get(name, _ABSENT[_KINDS[name]]))


def _of_spans(columns: dict[str, NDArray[Any]], records: Records, reading: Reading) -> Counter[str]:
    """Add the columns that spans have in every dialect; returns how many came from each service."""
    columns["trace_id_high"], columns["trace_id_low"] = records.trace_id.T
    columns["span_id"], columns["parent_id"] = records.span_id, records.parent_id
    columns["client"], columns["sampled"] = records.client, records.sampled
    columns["trace_state"], columns["scope"] = records.trace_state, records.scope
    failed = columns.get("error_type", 0) != 0
    columns["failed"] = records.failed | failed
    # A span without a start, or one that ends before it, has no duration; the call counts all the same.
    start, end = records.start, records.end
    known = (start > 0) & (start <= end)
    columns["end_time"] = np.where(end > 0, end / NANOSECONDS, np.nan)
    of_span, told = np.where(known, (end - start) / NANOSECONDS, np.nan), columns.get("duration", np.nan)
    duration = columns["duration"] = np.where(np.isnan(told), of_span, told)
    if "time_to_first_chunk" in columns:
        first = columns["time_to_first_chunk"]
        columns["time_to_first_chunk"] = np.where(first > duration, np.nan, first)
    nothing = np.zeros(len(records), np.int32)
    service = records.resource.get(semconv.SERVICE_NAME, nothing)
    columns["service"] = np.where(service == 0, reading.code(semconv.UNKNOWN_SERVICE), service)
    columns["release"] = records.resource.get(semconv.SERVICE_VERSION, nothing)
    strings = reading.strings
    return Counter({strings[code]: count for code, count in _counts(columns["service"])})


def _are_calls(operations: NDArray[Any] | None, reading: Reading) -> Mask:
    if operations is None:
        return np.zeros(len(reading.records), np.bool_)
    codes = [reading.code(operation) for operation in semconv.CALL_OPERATIONS]
    table = np.zeros(len(reading.strings), np.bool_)
    table[codes] = True
    are_calls: Mask = table[operations]
    return are_calls
