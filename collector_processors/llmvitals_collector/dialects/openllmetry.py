"""OpenLLMetry: Traceloop's instrumentations, in today's style and in the old one that some of them keep.

https://github.com/traceloop/openllmetry, checked with traceloop-sdk 0.62.4.
"""

from llmvitals import semconv
from llmvitals_collector.dialects import genai
from llmvitals_collector.dialects.dialect import Dialect
from llmvitals_collector.dialects.table import Source
from llmvitals_collector.records import Mask, Records

KIND = "traceloop.span.kind"
REQUEST_TYPE = "llm.request.type"
STREAMED = ("gen_ai.is_streaming", "llm.is_streaming")
PROMPT_KEY = "traceloop.prompt.key"
OPERATIONS = {"completion": semconv.TEXT_COMPLETION, "embedding": semconv.EMBEDDINGS}
SCOPE = "opentelemetry.instrumentation."
# OpenTelemetry's own, whose scopes begin alike.
OFFICIAL = (f"{SCOPE}genai", f"{SCOPE}google_genai", f"{SCOPE}openai_v2")

TABLE = (
    *genai.TABLE,
    Source("operation", REQUEST_TYPE, values=OPERATIONS),
    # Of a workflow, an agent, a tool, a task: none of them a call.
    Source("operation", KIND),
    Source("template", PROMPT_KEY),
    Source("template_version", "traceloop.prompt.version"),
    Source("finish_reason", "gen_ai.response.finish_reason"),
    Source("finish_reason", "gen_ai.response.stop_reason"),
    Source("finish_reason", "gen_ai.completion.0.finish_reason"),
    *(Source("streamed", key) for key in STREAMED),
    Source("time_to_first_chunk", event="gen_ai.content.completion.chunk"),
    Source("time_to_first_chunk", event="llm.content.completion.chunk"),
    Source("input_tokens", "llm.usage.prompt_tokens"),
    Source("output_tokens", "llm.usage.completion_tokens"),
    Source("cache_read_tokens", "gen_ai.usage.cache_read_input_tokens"),
    Source("cache_write_tokens", "gen_ai.usage.cache_creation_input_tokens"),
    Source("reasoning_tokens", "gen_ai.usage.reasoning_tokens"),
    Source("reasoning_tokens", "llm.usage.reasoning_tokens"),
)


def _is_mine(records: Records) -> Mask:
    """By what only Traceloop writes; else by the scope, if the span is one of an LLM: others have such scopes, too."""
    of_llm = records.has(semconv.PROVIDER_NAME, semconv.OPERATION_NAME, genai.SYSTEM)
    instrumentation = records.scope_begins(SCOPE) & ~records.scope_begins(*OFFICIAL)
    return records.has(KIND, REQUEST_TYPE, PROMPT_KEY, *STREAMED) | (of_llm & instrumentation)


DIALECT = Dialect("openllmetry", _is_mine, TABLE)
