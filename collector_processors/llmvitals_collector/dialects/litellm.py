"""LiteLLM's `otel` callback, in both of its versions.

https://docs.litellm.ai/docs/observability/opentelemetry_integration, checked with litellm 1.106.2.
"""

import numpy as np

from llmvitals import semconv
from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.dialects.words import first_group, rewritten
from llmvitals_collector.records import Mask, Records

SCOPE = "litellm"
CALL_ID = "litellm.call_id"
MODEL = "litellm.provider.model"
# The first version has these counts only in the text of a Python object.
USAGE = "metadata.usage_object"
COUNTS = {
    "cache_read_tokens": first_group(r"'cached_tokens': (\d+)"),
    "cache_write_tokens": first_group(r"'cache_creation_input_tokens': (\d+)"),
    "reasoning_tokens": first_group(r"'reasoning_tokens': (\d+)"),
}
PROVIDER = first_group("^(.+?)/")
MAYBE_NOTHING = ("input_tokens", "output_tokens", "cost")

# The first version names the function that was called; of a synchronous chat it says "chat".
OPERATIONS = {
    **dict.fromkeys(("completion", "acompletion", "responses", "aresponses", "anthropic_messages"), semconv.CHAT),
    **dict.fromkeys(("embedding", "aembedding"), semconv.EMBEDDINGS),
    "atext_completion": semconv.TEXT_COMPLETION,
}

TABLE = (
    Source("finish_reason", semconv.RESPONSE_FINISH_REASONS, path="0"),  # a list in JSON
    Source("operation", semconv.OPERATION_NAME, values=OPERATIONS),
    *genai.TABLE,
    Source("streamed", "llm.is_streaming"),
    Source("cost", "gen_ai.cost.total_cost"),
    Source("cost", "litellm.cost.total"),
)


def _is_mine(records: Records) -> Mask:
    return records.scope_begins(SCOPE) | records.has(CALL_ID)


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    records = reading.records
    texts = records.attributes.texts
    if "provider" in columns and MODEL in texts:
        told = rewritten(texts[MODEL], reading, PROVIDER)
        columns["provider"] = np.where(columns["provider"] == 0, told, columns["provider"])
    if USAGE in texts:
        distinct, which = np.unique(texts[USAGE], return_inverse=True)
        usages = [records.strings[code] for code in distinct.tolist()]
        for name, count in COUNTS.items():
            told = np.array([float(count(usage) or "nan") for usage in usages])[which]
            known = columns.get(name, np.nan)
            columns[name] = np.where(np.isnan(known), told, known)
    failed = records.failed
    for name in columns.keys() & set(MAYBE_NOTHING):
        # Of a call that failed it says 0 where it does not know.
        columns[name] = np.where(failed & (columns[name] == 0), np.nan, columns[name])
    # The first version tells of a call on the app's own span, if there is one, and that has the times of the app.
    columns["duration"] = np.where(records.scope_begins(SCOPE), np.nan, -1.0)


DIALECT = Dialect("litellm", _is_mine, TABLE, _adjust, further=(CALL_ID, MODEL, USAGE))
