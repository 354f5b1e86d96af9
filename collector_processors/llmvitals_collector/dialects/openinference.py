"""OpenInference: Arize's and Phoenix' instrumentations. https://github.com/Arize-ai/openinference

Checked with openinference-instrumentation-openai 0.1.66, -anthropic 3.1.0 and -langchain 0.1.80.
"""

import numpy as np

from llmvitals import semconv
from llmvitals_collector.dialects.dialect import ColumnsByName, Dialect
from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.records import Mask, Records

KIND = "openinference.span.kind"
PROVIDER = "llm.provider"
SYSTEM = "llm.system"
# Completions that are no chat; one key is of OpenAI's instrumentation, the other of LangChain's.
PROMPTS = ("llm.prompts.0.prompt.text", "llm.prompts")
KINDS = {"LLM": semconv.CHAT, "EMBEDDING": semconv.EMBEDDINGS}
PROVIDERS = {
    "aws": "aws.bedrock",
    "azure": "azure.ai.inference",
    "google": "gcp.gen_ai",
    "mistralai": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
# Hosts that serve several systems, which the conventions tell apart: (provider, system) -> provider.
HOSTED = {("azure", "openai"): "azure.ai.openai", ("google", "vertexai"): "gcp.vertex_ai"}

TABLE = (
    Source("operation", KIND, values=KINDS),
    Source("provider", PROVIDER, values=PROVIDERS),
    Source("provider", SYSTEM, values=PROVIDERS),
    Source("model", "llm.request.model_name"),
    # What was asked for: `llm.model_name` is what answered, and missing where nothing did.
    Source("model", "llm.invocation_parameters", path="model"),
    Source("model", "embedding.invocation_parameters", path="model"),
    Source("model", "llm.model_name"),
    Source("model", "embedding.model_name"),
    Source("response_model", "llm.response.model_name"),
    Source("response_model", "llm.model_name"),
    Source("template_version", "llm.prompt_template.version"),
    Source("finish_reason", "llm.finish_reason"),
    Source("streamed", "llm.invocation_parameters", path="stream"),
    Source("time_to_first_chunk", event="First Token Stream Event"),
    Source("input_tokens", "llm.token_count.prompt"),
    Source("output_tokens", "llm.token_count.completion"),
    Source("cache_read_tokens", "llm.token_count.prompt_details.cache_read"),
    Source("cache_write_tokens", "llm.token_count.prompt_details.cache_write"),
    Source("reasoning_tokens", "llm.token_count.completion_details.reasoning"),
    Source("cost", "llm.cost.total"),
)


def _is_mine(records: Records) -> Mask:
    return records.has(KIND)


def _adjust(columns: ColumnsByName, reading: Reading) -> None:
    records = reading.records
    if "operation" in columns:
        completion = records.has(*PROMPTS) & records.attribute_is(KIND, "LLM")
        columns["operation"] = np.where(completion, reading.code(semconv.TEXT_COMPLETION), columns["operation"])
    for (provider, system), hosted in HOSTED.items():
        both = records.attribute_is(PROVIDER, provider) & records.attribute_is(SYSTEM, system)
        if both.any():
            columns["provider"] = np.where(both, reading.code(hosted), columns["provider"])


DIALECT = Dialect("openinference", _is_mine, TABLE, _adjust, further=PROMPTS)
