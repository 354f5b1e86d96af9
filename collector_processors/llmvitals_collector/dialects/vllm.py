"""vLLM's server, and SGLang's: how they saw a request of a client that tells of the same call.

https://docs.vllm.ai, by the attributes in vLLM's source (vllm/tracing, vllm/v1/engine/output_processor.py).
"""

import numpy as np

from llmvitals import semconv
from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.records import Mask, Records

END_TO_END = "gen_ai.latency.e2e"
FIRST_TOKEN = "gen_ai.latency.time_to_first_token"

TABLE = (
    *genai.TABLE,
    Source("model", semconv.RESPONSE_MODEL),
    Source("time_to_first_token", FIRST_TOKEN),
    Source("queue_time", "gen_ai.latency.time_in_queue"),
)


def _is_mine(records: Records) -> Mask:
    return records.has(END_TO_END, FIRST_TOKEN) & ~records.has(semconv.PROVIDER_NAME)


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    """The server does not say which of its routes was called; most are those of a chat."""
    rows = len(reading.records)
    columns["operation"] = np.full(rows, reading.code(semconv.CHAT), np.int32)
    columns["provider"] = np.full(rows, reading.code("vllm"), np.int32)


DIALECT = Dialect("vllm", _is_mine, TABLE, _adjust, further=(END_TO_END,))
