"""OpenLIT. https://docs.openlit.io, checked with openlit 1.45.0."""

import numpy as np

from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.records import Mask, Records

SDK_NAME = "telemetry.sdk.name"  # on each span
SCOPE = "openlit"
# Where it hands on the API's count of input tokens, which leaves out the cached ones.
WITHOUT_CACHED = (f"{SCOPE}.instrumentation.anthropic", f"{SCOPE}.instrumentation.bedrock")

TABLE = (
    *genai.TABLE,
    Source("streamed", "gen_ai.request.is_stream"),  # of its TypeScript SDK
    Source("time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    Source("reasoning_tokens", "gen_ai.usage.reasoning_tokens"),
    Source("cost", "gen_ai.usage.cost"),
)


def _is_mine(records: Records) -> Mask:
    return records.attribute_is(SDK_NAME, "openlit") | records.scope_begins(SCOPE)


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    if "time_to_first_chunk" in columns:
        # Of an answer that comes whole, it is the time to all of it.
        whole = columns["streamed"] != 1 if "streamed" in columns else True
        columns["time_to_first_chunk"] = np.where(whole, np.nan, columns["time_to_first_chunk"])
    if "cost" in columns:
        # 0 is what it says for a model whose price it does not know.
        columns["cost"] = np.where(columns["cost"] == 0, np.nan, columns["cost"])
    without = reading.records.scope_begins(*WITHOUT_CACHED)
    if without.any() and "input_tokens" in columns:
        cached = sum(
            np.nan_to_num(columns[name]) for name in ("cache_read_tokens", "cache_write_tokens") if name in columns
        )
        columns["input_tokens"] = columns["input_tokens"] + np.where(without, cached, 0.0)


DIALECT = Dialect("openlit", _is_mine, TABLE, _adjust, further=(SDK_NAME,))
