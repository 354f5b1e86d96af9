"""Pydantic AI. https://ai.pydantic.dev/logfire, checked with pydantic-ai-slim 2.68.0."""

import numpy as np

from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.records import Mask, Records

TABLE = (
    *genai.TABLE,
    Source("time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk"),
    Source("reasoning_tokens", "gen_ai.usage.details.reasoning_tokens"),
    Source("cost", "operation.cost"),
)


def _is_mine(records: Records) -> Mask:
    return records.scope_begins("pydantic-ai")


def _adjust(columns: ColumnsByName, _reading: Reading) -> None:
    # Which answers are streamed shows in this alone.
    if "time_to_first_chunk" in columns:
        columns["streamed"] = np.where(np.isnan(columns["time_to_first_chunk"]), np.nan, 1.0)


DIALECT = Dialect("pydantic_ai", _is_mine, TABLE, _adjust)
