"""Langfuse: generations and embeddings. https://langfuse.com/docs/observability, checked with langfuse 5.0.4."""

import json
import re
from typing import Any

import numpy as np

from llmvitals import semconv
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.dialects.words import first_group, maker, rewritten
from llmvitals_collector.records import Mask, Records

OBSERVATION = "langfuse.observation."
TYPE = f"{OBSERVATION}type"
USAGE = f"{OBSERVATION}usage_details"
STATUS = f"{OBSERVATION}status_message"
# The errors of the clients that Stainless makes begin so: openai, anthropic, groq and others.
HTTP_STATUS = first_group(r"^Error code: (\d{3})\b")
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")

TABLE = (
    Source("operation", TYPE, values={"generation": semconv.CHAT, "embedding": semconv.EMBEDDINGS}),
    Source("provider", f"{OBSERVATION}metadata.ls_provider", path="."),  # of LangChain's handler alone
    Source("model", f"{OBSERVATION}model.name"),
    Source("template", f"{OBSERVATION}prompt.name"),
    Source("template_version", f"{OBSERVATION}prompt.version"),
    Source("finish_reason", f"{OBSERVATION}metadata.finish_reason", path="."),
    Source("time_to_first_chunk", f"{OBSERVATION}completion_start_time", moment=True),
    Source("cost", f"{OBSERVATION}cost_details", path="total"),
)


def _is_mine(records: Records) -> Mask:
    return records.has(TYPE)


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    texts = reading.records.attributes.texts
    if "time_to_first_chunk" in columns:
        columns["streamed"] = np.where(np.isnan(columns["time_to_first_chunk"]), np.nan, 1.0)
    if "model" in columns:
        told = columns.get("provider", 0)
        columns["provider"] = np.where(told == 0, rewritten(columns["model"], reading, maker), told)
    if STATUS in texts:
        columns["error_type"] = rewritten(texts[STATUS], reading, HTTP_STATUS)
    if USAGE in texts:
        distinct, which = np.unique(texts[USAGE], return_inverse=True)
        counts = np.array([tokens_in(reading.records.strings[code]) for code in distinct.tolist()])
        columns.update(zip(TOKENS, counts[which].T, strict=True))


def tokens_in(usage: str) -> tuple[float, ...]:
    """The counts of TOKENS in Langfuse's JSON of a usage; NaN where it does not tell.

    The wrapper of OpenAI's client hands on the API's own object, whose totals include their parts. All others take the
    parts out of `input` and `output`: a total is the sum of what has the word in its name.
    https://langfuse.com/docs/observability/features/token-and-cost-tracking
    """
    told = _parsed(usage)
    if "input" in told or "output" in told:
        return (
            _sum(told, r"^(?!input_priority).*input"),
            _sum(told, r"^(?!output_priority).*output"),
            _sum(told, r"cache_read|cached_tokens"),
            _sum(told, r"cache_creation|cache_write|ephemeral"),
            _sum(told, r"reasoning"),
        )
    details = {
        f"{total}.{part}": count
        for total, parts in told.items()
        if isinstance(parts, dict)
        for part, count in parts.items()
    }
    return (
        _sum(told, r"^(prompt|input)_tokens$"),
        _sum(told, r"^(completion|output)_tokens$"),
        _sum(details, r"\.cached_tokens"),
        _sum(details, r"\.cache_write_tokens"),
        _sum(details, r"\.reasoning_tokens"),
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_int=float) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _sum(told: dict[str, Any], names: str) -> float:
    counts = [count for name, count in told.items() if isinstance(count, float) and re.search(names, name)]
    return sum(counts) if counts else np.nan


DIALECT = Dialect("langfuse", _is_mine, TABLE, _adjust, further=(USAGE, STATUS))
