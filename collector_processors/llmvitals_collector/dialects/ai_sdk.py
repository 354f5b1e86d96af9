"""Vercel's AI SDK: the spans of version 6, which 7 has as its legacy, and those of version 7.

https://ai-sdk.dev/docs/ai-sdk-core/telemetry, checked with ai 6.0.326 and @ai-sdk/otel 1.0.173.
"""

import numpy as np

from llmvitals import semconv
from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.dialects.words import rewritten
from llmvitals_collector.records import Mask, Records

OPERATION = "ai.operationId"
STREAMS = ("ai.streamText.doStream", "ai.streamObject.doStream")
# All else is around these, and repeats what they tell.
OPERATIONS = {
    **dict.fromkeys(("ai.generateText.doGenerate", "ai.generateObject.doGenerate", *STREAMS), semconv.CHAT),
    **dict.fromkeys(("ai.embed.doEmbed", "ai.embedMany.doEmbed"), semconv.EMBEDDINGS),
}
# Version 6 names a provider with its API, `openai.chat`; of these the maker is not what stands before the full stop.
PROVIDERS = {
    "google.vertex": "gcp.vertex_ai",
    "vertex.": "gcp.vertex_ai",
    "google.": "gcp.gen_ai",
    "azure": "azure.ai.openai",
    "amazon-bedrock": "aws.bedrock",
}

TABLE = (
    *genai.TABLE,
    Source("operation", OPERATION, values=OPERATIONS),
    Source("provider", "ai.model.provider"),
    Source("model", "ai.model.id"),
    Source("response_model", "ai.response.model"),
    # 7 tells why a request was refused; the exception has one type, whatever the reason.
    Source("error_type", semconv.HTTP_STATUS_CODE),
    Source("time_to_first_chunk", "ai.response.msToFirstChunk", unit=0.001),
    Source("time_to_first_chunk", "ai.stream.msToFirstChunk", unit=0.001),
    Source("time_to_first_chunk", "gen_ai.client.operation.time_to_first_chunk"),
    Source("input_tokens", "ai.usage.inputTokens"),
    Source("input_tokens", "ai.usage.tokens"),  # of embeddings
    Source("output_tokens", "ai.usage.outputTokens"),
    Source("cache_read_tokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
    Source("cache_read_tokens", "ai.usage.cachedInputTokens"),
    Source("cache_write_tokens", "ai.usage.inputTokenDetails.cacheWriteTokens"),
    Source("reasoning_tokens", "ai.usage.outputTokenDetails.reasoningTokens"),
    Source("reasoning_tokens", "ai.usage.reasoningTokens"),
)


def _is_mine(records: Records) -> Mask:
    of_seven = records.scope_begins("gen_ai") & records.has(semconv.OPERATION_NAME)
    return records.has(OPERATION) | of_seven


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    records = reading.records
    if "provider" in columns:
        columns["provider"] = rewritten(columns["provider"], reading, _provider)
    streamed = records.attribute_is(OPERATION, *STREAMS)
    if "time_to_first_chunk" in columns:
        streamed = streamed | ~np.isnan(columns["time_to_first_chunk"])
    columns["streamed"] = streamed.astype(np.float64)
    if "operation" in columns:
        # 7 has two spans for embeddings, alike but for the tokens; the inner one is the request.
        embeddings = columns["operation"] == reading.code(semconv.EMBEDDINGS)
        outer = embeddings & np.isin(records.span_id, records.parent_id[embeddings])
        columns["operation"] = np.where(outer, 0, columns["operation"])


def _provider(told: str) -> str:
    return next((ours for start, ours in PROVIDERS.items() if told.startswith(start)), told.partition(".")[0])


DIALECT = Dialect("ai_sdk", _is_mine, TABLE, _adjust)
