"""Logfire's instrumentations of LLM clients. https://logfire.pydantic.dev, checked with logfire 5.2.0.

Of a streamed answer there are two spans. The first ends when the answer begins; a second one, without duration, comes
when it has been read, as a sibling of the first, and has the tokens: that one counts.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.dialects import anthropic, genai
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import NANOSECONDS, Reading, Source
from llmvitals_collector.records import Mask, Records

SCOPE = "logfire."
TYPE = "logfire.span_type"
READING = "duration"  # seconds from when the app began to read the stream
LONGEST = 86400.0
USAGE = "gen_ai.usage.raw"
ANSWERED = (semconv.RESPONSE_ID, semconv.USAGE_INPUT_TOKENS, semconv.RESPONSE_FINISH_REASONS)
SAME_END = 100_000_000  # nanoseconds between two spans that end with the same stream

TABLE = (
    Source("finish_reason", semconv.RESPONSE_FINISH_REASONS, path="0"),  # a list in JSON
    *genai.TABLE,
    Source("cost", "operation.cost"),
    *(
        Source("cache_read_tokens", USAGE, path=f"{total}_tokens_details.cached_tokens")
        for total in ("prompt", "input")
    ),
    Source("cache_read_tokens", USAGE, path="cache_read_input_tokens"),
    Source("cache_write_tokens", USAGE, path="prompt_tokens_details.cache_write_tokens"),
    Source("cache_write_tokens", USAGE, path="cache_creation_input_tokens"),
    *(
        Source("reasoning_tokens", USAGE, path=f"{total}_tokens_details.{part}_tokens")
        for total, part in (("completion", "reasoning"), ("output", "reasoning"), ("output", "thinking"))
    ),
)


def _is_mine(records: Records) -> Mask:
    of_llm = records.has(semconv.PROVIDER_NAME, semconv.OPERATION_NAME, genai.SYSTEM)
    return records.scope_begins(SCOPE) & of_llm


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    records = reading.records
    mine = _is_mine(records)
    read = mine & records.attribute_is(TYPE, "log")
    begun = mine & ~read & ~records.failed & ~records.has(*ANSWERED)
    counted = ~begun & ~records.attribute_is(TYPE, "pending_span")
    if read.any():
        columns["streamed"] = np.where(read, 1.0, columns.get("streamed", np.nan))
        columns["duration"] = np.where(read, _durations(read, begun, columns, records), np.nan)
        counted &= ~_told_by_client(read, columns, records)
    if "operation" in columns:
        columns["operation"] = np.where(counted, columns["operation"], 0)


def _durations(read: Mask, begun: Mask, columns: ColumnsByName, records: Records) -> NDArray[np.float64]:
    """How long each stream took, in seconds: from the start of its call, where that is in the same request.

    Else only from when the app began to read it: a little less than the truth, as the wait for the answer's headers is
    missing. To know nothing at all of them would be worse: they are the long ones.
    """
    since = records.attributes.numbers.get(READING, np.full(len(records), np.nan))
    end = records.end.astype(np.int64)
    began = end - (np.where(read & (np.abs(since) < LONGEST), since, 0) * NANOSECONDS).astype(np.int64)
    # Siblings without a parent have a trace each.
    trace = np.where(records.parent_id > 0, records.trace_id.T, 0)
    call = _latest(read, begun, np.where(read, began, end), *trace, records.parent_id, columns.get("model"))
    whole = (end - records.start[call].astype(np.int64)) / NANOSECONDS
    return np.where(call >= 0, whole, since)


def _told_by_client(read: Mask, columns: ColumnsByName, records: Records) -> Mask:
    """Which streams Anthropic's client, too, tells of, and better. Its span is no relation of the one that counts."""
    end = records.end.astype(np.int64)
    alike = (columns.get(name) for name in ("model", "input_tokens", "output_tokens"))
    call = _latest(read, anthropic.DIALECT.is_mine(records), end, *alike)
    told: Mask = (call >= 0) & (end - end[call] < SAME_END)
    return told


def _latest(of: Mask, among: Mask, moment: NDArray[np.int64], *alike: NDArray[Any] | None) -> NDArray[np.intp]:
    """For each row of `of`, which of `among` with all these values alike is the last until its moment; -1 for none."""
    group = np.zeros(len(moment), np.intp)
    for values in alike:
        if values is not None:
            _, which = np.unique(values, return_inverse=True)
            _, group = np.unique(group * len(moment) + which, return_inverse=True)
    order = np.lexsort((of, moment, group))
    last = np.maximum.accumulate(np.where(among[order], np.arange(len(order)), -1))
    found = of[order] & (last >= 0) & (group[order] == group[order][last])
    rows = np.full(len(order), -1)
    rows[order[found]] = order[last[found]]
    return rows


DIALECT = Dialect("logfire", _is_mine, TABLE, _adjust, further=(TYPE, READING))
