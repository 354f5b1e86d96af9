"""MLflow: calls that it logs automatically, and those that people trace. All its values are JSON.

https://mlflow.org/docs/latest/genai/tracing, checked with mlflow 3.17.2.
"""

import json

import numpy as np

from llmvitals import semconv
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.dialects.words import maker, rewritten
from llmvitals_collector.records import Codes, Mask, Records

TYPE = "mlflow.spanType"
TYPES = {"CHAT_MODEL": semconv.CHAT, "LLM": semconv.GENERATE_CONTENT, "EMBEDDING": semconv.EMBEDDINGS}
PROMPTS = "mlflow.linkedPrompts"
USAGE = "mlflow.chat.tokenUsage"
# The form of the messages, which is the provider's; but for these, which stand before several.
FORMAT = "mlflow.message.format"
FRAMEWORKS = (
    *("ag2", "agno", "autogen", "crewai", "dspy", "haystack", "langchain", "livekit", "llamaindex", "pydantic_ai"),
    *("semantic_kernel", "smolagents", "strands", "vercel_ai", "voltagent"),
)

TABLE = (
    Source("operation", TYPE, path=".", values=TYPES),
    Source("provider", "mlflow.llm.provider", path="."),
    Source("provider", FORMAT, path=".", values=dict.fromkeys(FRAMEWORKS, "")),
    Source("model", "mlflow.llm.model", path="."),
    Source("model", "model", path="."),  # of a call that failed
    Source("streamed", "stream", path="."),
    Source("time_to_first_chunk", event="mlflow.chunk.item.0"),
    Source("input_tokens", USAGE, path="input_tokens"),
    Source("output_tokens", USAGE, path="output_tokens"),
    Source("cache_read_tokens", USAGE, path="cache_read_input_tokens"),
    Source("cache_write_tokens", USAGE, path="cache_creation_input_tokens"),
    Source("cost", "mlflow.llm.cost", path="total_cost"),
)


def _is_mine(records: Records) -> Mask:
    return records.has(TYPE)


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    records = reading.records
    if "model" in columns:
        told = columns.get("provider", 0)
        columns["provider"] = np.where(told == 0, rewritten(columns["model"], reading, maker), told)
    if (loaded := records.attributes.texts.get(PROMPTS)) is not None and loaded.any():
        _take_prompts(columns, reading, loaded)
    # Anthropic always tells usage. Without it, the answer is a stream, of which MLflow sees no more than the beginning.
    unread = records.attribute_is(FORMAT, '"anthropic"') & ~records.has(USAGE) & ~records.failed
    if unread.any():
        columns["streamed"] = np.where(unread, 1.0, columns.get("streamed", np.nan))
        columns["duration"] = np.where(unread, -1.0, np.nan)


def _take_prompts(columns: ColumnsByName, reading: Reading, loaded: Codes) -> None:
    """Give calls the prompt that the span around them has loaded, if that is in the same request.

    With several prompts nobody knows which of them a call is made with.
    """
    records = reading.records
    holders = np.flatnonzero(loaded)
    holders = holders[np.argsort(records.span_id[holders])]
    found = holders[np.searchsorted(records.span_id[holders], records.parent_id).clip(max=len(holders) - 1)]
    below = (records.parent_id > 0) & (records.parent_id == records.span_id[found])
    mine = np.where(below, loaded[found], loaded)
    columns["template"] = rewritten(mine, reading, lambda text: _prompt(text, "name"))
    columns["template_version"] = rewritten(mine, reading, lambda text: _prompt(text, "version"))


def _prompt(text: str, member: str) -> str:
    """A member of the one prompt in JSON of JSON."""
    try:
        [prompt] = json.loads(json.loads(text))
        return str(prompt[member])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


DIALECT = Dialect("mlflow", _is_mine, TABLE, _adjust, further=(PROMPTS,))
