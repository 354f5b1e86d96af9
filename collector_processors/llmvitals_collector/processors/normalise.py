"""Makes of what senders write the one name and the one count that it means.

Provider: the conventions' names, whatever the sender's spelling; `openai` is who answers at `server.address`, as a
client of OpenAI's can call others. https://github.com/open-telemetry/semantic-conventions-genai

Model: without what only says where it is: `models/` and resource paths (Google), ARNs and regions (Bedrock), the name
of the provider itself (`openai/gpt-5` of openai); a fine-tuned one without organisation and id (`ft:gpt-4o:acme::9xYz`
is `ft:gpt-4o`). Where the sender tells no requested model, the one that answered.

Counts: input tokens fewer than the cached ones, and output tokens fewer than the reasoning ones, do not include them:
they are added. A first chunk or token of an answer that was not streamed, or after its end, is no such time.

Attributes:
    providers: more spellings of providers, such as `our-gateway: openai`.
    models: other names for models, such as `our-deployment: gpt-5`; they are looked up after all else.
"""

import re
from functools import lru_cache
from typing import Annotated

import msgspec
import numpy as np

from llmvitals_collector.calls import Calls

PROVIDERS = {
    "anthropic": "claude",
    "aws.bedrock": "bedrock aws_bedrock amazon-bedrock aws amazon_bedrock bedrock_converse",
    "azure.ai.inference": "az.ai.inference azure_ai azure_ai_inference",
    "azure.ai.openai": "az.ai.openai azure azure_openai azure-openai",
    "cohere": "cohere_chat cohere-ai",
    "deepseek": "deep_seek",
    "fireworks": "fireworks_ai",
    "gcp.gemini": "gemini google_ai_studio google-gla",
    "gcp.gen_ai": "google google_genai google.generative-ai google_generative_ai",
    "gcp.vertex_ai": "vertex_ai vertexai vertex google_vertexai google-vertex google.vertex vertex_ai_beta",
    "ibm.watsonx.ai": "watsonx ibm.watson.ai ibm",
    "mistral_ai": "mistral mistralai",
    "moonshot_ai": "moonshot moonshotai",
    "openai": "open_ai text-completion-openai",
    "perplexity": "perplexity_ai",
    "together": "together_ai togetherai",
    "x_ai": "xai grok",
}
_SPELLINGS = {spelling: provider for provider, many in PROVIDERS.items() for spelling in (provider, *many.split())}
# What the AI SDK adds to a provider's name, such as `openai.responses`.
_APIS = ("chat", "completion", "embedding", "embeddings", "messages", "responses")
# Who answers at hosts with these endings.
HOSTS = {
    ".openai.azure.com": "azure.ai.openai",
    ".services.ai.azure.com": "azure.ai.openai",
    ".cognitiveservices.azure.com": "azure.ai.openai",
    ".amazonaws.com": "aws.bedrock",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.cerebras.ai": "cerebras",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
}
# What stands before the id of a model: on Bedrock, account and region; on Google's, project and publisher.
_PATH = re.compile(
    r"arn(?::[^:]*){4}:(?:foundation-model/|inference-profile/)?"
    r"|(?:projects/[^/]+/locations/[^/]+/)?(?:(?:publishers/[^/]+/)?models/)?"
)
_REGION = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|global)\.(?=[a-z0-9-]+\.)")
_FINE_TUNED = "ft:"
_TIMES = ("time_to_first_chunk", "time_to_first_token", "time_to_first_answer_token")
_CACHED = 4096  # texts of which the last are known again
_CLOCKS_DIFFER = 0.01  # seconds at most, between the clock of a span and the one that a sender takes such times from

Names = Annotated[dict[str, str], msgspec.Meta(description="a mapping of names to names")]


class NormaliseConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    providers: Names = {}
    models: Names = {}


class Normalise:
    def __init__(self, config: NormaliseConfig) -> None:
        self._spellings = _SPELLINGS | {name.casefold(): provider for name, provider in config.providers.items()}
        self._models = config.models
        self._model = lru_cache(_CACHED)(self._model_of)

    def process(self, calls: Calls) -> Calls:
        calls.rewrite("provider", self._provider)
        _tell_hosts(calls)
        if "response_model" in calls:
            calls.arrays["model"] = np.where(calls["model"] > 0, calls["model"], calls["response_model"])
        for name in ("model", "response_model"):
            if name in calls:
                self._cut_provider(calls, name)
                calls.rewrite(name, self._model)
        _include(calls, "input_tokens", "cache_read_tokens", "cache_write_tokens")
        _include(calls, "output_tokens", "reasoning_tokens")
        # Of a call without a duration, any time may be right.
        latest = np.fmin(calls["duration"], np.inf) + _CLOCKS_DIFFER
        for name in _TIMES:
            if name in calls:
                told = calls["streamed"] & (calls[name] <= latest)
                calls.arrays[name] = np.where(told, calls[name], np.nan)
        return calls

    def _provider(self, name: str) -> str:
        name = name.strip().casefold()
        before, _, api = name.rpartition(".")
        return self._spellings.get(before if api in _APIS else name, name)

    def _cut_provider(self, calls: Calls, name: str) -> None:
        """Cut the name of the provider off its models; what another provider has before its models, names them."""

        def provider_of(model: str) -> int:
            before, slash, _ = model.partition("/")
            return calls.code(self._provider(before)) if slash else 0

        providers = calls.of_texts(name, provider_of, np.int32)
        if (own := (providers > 0) & (providers == calls["provider"])).any():
            models = calls.of_texts(name, lambda model: calls.code(model.partition("/")[2]), np.int32)
            calls.arrays[name] = np.where(own, models, calls[name])

    def _model_of(self, name: str) -> str:
        name = name.strip()
        name = name.removeprefix(_PATH.match(name)[0])  # type: ignore[index]  # it matches the empty text, too
        name = name.removeprefix(found[0]) if (found := _REGION.match(name)) else name
        if name.startswith(_FINE_TUNED):
            name = ":".join(name.split(":")[:2])
        return self._models.get(name, name)


def _tell_hosts(calls: Calls) -> None:
    """Put who answers in place of `openai`, where the host tells it."""
    if "server_address" in calls:
        hosts = calls.of_texts("server_address", lambda host: calls.code(_provider_at(host)), np.int32)
        called = (hosts > 0) & (calls["provider"] == calls.code("openai"))
        calls.arrays["provider"] = np.where(called, hosts, calls["provider"])


@lru_cache(_CACHED)
def _provider_at(host: str) -> str:
    return next((provider for ending, provider in HOSTS.items() if host.endswith(ending)), "")


def _include(calls: Calls, whole: str, *parts: str) -> None:
    """Add the parts to a count that is less than they are, and so can't include them."""
    if any(part in calls for part in parts):
        counted = sum(np.fmax(calls[part], 0.0) for part in parts)  # what is absent is none
        calls.arrays[whole] = np.where(counted > calls[whole], calls[whole] + counted, calls[whole])
