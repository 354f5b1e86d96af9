"""What traces tell beside calls: tasks, lookups in the app's caches, and results as span events."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.cache_lookups import CacheLookups
from llmvitals_collector.columns import Columns
from llmvitals_collector.decode.results import results
from llmvitals_collector.dialects.table import NANOSECONDS
from llmvitals_collector.records import Mask, Records
from llmvitals_collector.results import Results
from llmvitals_collector.tasks import Tasks

ATTRIBUTES = (
    *(semconv.TASK_NAME, semconv.TASK_OUTCOME, semconv.TASK_FAILURE_MODE),
    *(semconv.CACHE_NAME, semconv.CACHE_OUTCOME, semconv.CACHE_SAVED_DURATION),
    *(semconv.CACHE_SAVED_INPUT_TOKENS, semconv.CACHE_SAVED_OUTPUT_TOKENS),
)
# Odd and without a pattern: all ids are remembered together, and a span may be a task and a lookup.
_TASK, _LOOKUP = 0x2545F4914F6CDD1D, 0x9FB21C651E98DF25


def own_spans(records: Records) -> Mask:
    """Which spans are tasks or lookups. Shape (n,)."""
    return records.has(semconv.TASK_NAME) | records.has(semconv.CACHE_NAME)


def beside_calls(records: Records) -> tuple[Columns, ...]:
    """The tasks, lookups and results of a request that has any."""
    found: list[Columns] = []
    if records.attributes.texts.get(semconv.TASK_NAME) is not None:
        found.append(_tasks(records))
    if records.attributes.texts.get(semconv.CACHE_NAME) is not None:
        found.append(_lookups(records))
    code = records.codes.get(semconv.EVALUATION_RESULT)
    if code is not None and (records.events.name == code).any():
        found.append(_results(records, code))
    return tuple(found)


def _tasks(records: Records) -> Tasks:
    rows = np.flatnonzero(records.has(semconv.TASK_NAME))
    outcomes = _members(records, rows, semconv.TASK_OUTCOME, semconv.TASK_OUTCOMES)
    outcomes[outcomes < 0] = semconv.TASK_OUTCOMES.index(semconv.UNKNOWN)
    columns: dict[str, NDArray[Any]] = {
        "task": _texts(records, rows, semconv.TASK_NAME),
        "failure_mode": _texts(records, rows, semconv.TASK_FAILURE_MODE),
        "release": _resource(records, rows, semconv.SERVICE_VERSION),
        "outcome": outcomes,
        "failed": outcomes == semconv.TASK_OUTCOMES.index(semconv.FAILED),
        **_of_spans(records, rows, _TASK),
    }
    return Tasks.formed(_strings(records), columns)


def _lookups(records: Records) -> CacheLookups:
    rows = np.flatnonzero(records.has(semconv.CACHE_NAME))
    columns: dict[str, NDArray[Any]] = {
        "cache": _texts(records, rows, semconv.CACHE_NAME),
        "outcome": _members(records, rows, semconv.CACHE_OUTCOME, semconv.CACHE_OUTCOMES),
        "saved_seconds": _numbers(records, rows, semconv.CACHE_SAVED_DURATION),
        "saved_input_tokens": _numbers(records, rows, semconv.CACHE_SAVED_INPUT_TOKENS),
        "saved_output_tokens": _numbers(records, rows, semconv.CACHE_SAVED_OUTPUT_TOKENS),
        **_of_spans(records, rows, _LOOKUP),
    }
    return CacheLookups.formed(_strings(records), columns)


def _results(records: Records, code: int) -> Results:
    events = records.events
    rows = np.flatnonzero(events.name == code)
    return results(records, events.attributes, rows, events.span[rows].astype(np.intp), events.time[rows])


def _of_spans(records: Records, rows: NDArray[np.intp], record: int) -> dict[str, NDArray[Any]]:
    """What every span has; record: by which the ids of one kind of records differ from those of the others."""
    start, end = records.start[rows], records.end[rows]
    known = (start > 0) & (start <= end)
    service = _resource(records, rows, semconv.SERVICE_NAME)
    trace = records.trace_id[rows]
    return {
        "service": np.where(service > 0, service, len(records.strings)),
        "duration": np.where(known, (end - start) / NANOSECONDS, np.nan),
        "record_id": (records.span_id[rows] ^ trace[:, 0] ^ trace[:, 1]) * np.uint64(record),
    }


def _strings(records: Records) -> list[str]:
    """Those of the request, and after them the name of a service that has none."""
    return [*records.strings, semconv.UNKNOWN_SERVICE]


def _texts(records: Records, rows: NDArray[np.intp], key: str) -> NDArray[np.int32]:
    found = records.attributes.texts.get(key)
    return np.zeros(len(rows), np.int32) if found is None else found[rows]


def _numbers(records: Records, rows: NDArray[np.intp], key: str) -> NDArray[np.float64]:
    found = records.attributes.numbers.get(key)
    return np.full(len(rows), np.nan) if found is None else found[rows]


def _resource(records: Records, rows: NDArray[np.intp], key: str) -> NDArray[np.int32]:
    found = records.resource.get(key)
    return np.zeros(len(rows), np.int32) if found is None else found[rows]


def _members(records: Records, rows: NDArray[np.intp], key: str, members: tuple[str, ...]) -> NDArray[np.int8]:
    table = np.full(len(records.strings), -1, np.int8)
    for place, member in enumerate(members):
        if member in records.codes:
            table[records.codes[member]] = place
    return table[_texts(records, rows, key)]
