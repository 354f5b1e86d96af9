"""LiteLLM: the package's own functions, by which also its Router and its proxy call whomever they speak to."""

import functools
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

from llmvitals import _methods, semconv
from llmvitals._adapter import Adapter, Answer, Attribute, Body, Fold, Operation, Usage, address, get, provider_at
from llmvitals._patch import Patch
from llmvitals.formats import chat_completions, completions, embeddings, responses


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    # These two take `*args` (1.106); the rest tell their parameters.
    alike = {"aembedding": "embedding", "atext_completion": "text_completion"}
    return _methods.install(adapter, module, server=_server, alike=alike)


# ---- Whom a call goes to: https://docs.litellm.ai/docs/providers ---------------------------------------------

# What LiteLLM calls a provider -> `gen_ai.provider.name`; the names of all others are the same.
# https://github.com/open-telemetry/semantic-conventions-genai (`gen_ai.provider.name`)
_PROVIDERS = {
    "aiohttp_openai": "openai",
    "anthropic_text": "anthropic",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "bedrock_mantle": "aws.bedrock",
    "codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "text-completion-codestral": "mistral_ai",
    "text-completion-openai": "openai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
}


@functools.lru_cache(maxsize=256)
def resolved(model: str, provider: str | None) -> tuple[str, str]:
    """The model as its provider calls it, and `gen_ai.provider.name`.

    provider: `custom_llm_provider`, None where the call gives none.

    Not asked of `litellm.get_llm_provider`, which looks for keys on its way, if need be in a secret
    manager, and prints something where it finds no provider (1.106).
    """
    litellm = sys.modules["litellm"]
    prefix, _, rest = model.partition("/")
    if rest and (prefix == provider or (provider is None and prefix in litellm.provider_list)):
        model, provider = rest, prefix
    if provider is None:
        provider = str(litellm.model_cost.get(model, {}).get("litellm_provider", "litellm"))
    provider = provider.lower()
    if provider.startswith("vertex_ai"):  # the list of models goes on to say whose model it is
        provider = "vertex_ai"
    return model, _PROVIDERS.get(provider, provider)


def _resolved(asked: Body) -> tuple[str | None, str | None]:
    model, provider = asked.get("model"), asked.get("custom_llm_provider")
    return resolved(model, provider) if isinstance(model, str) else (None, provider)


def _server(asked: Body) -> tuple[str | None, int | None, str]:
    url = asked.get("api_base") or asked.get("base_url") or sys.modules["litellm"].api_base
    host, port = address(url) if isinstance(url, str) else (None, None)
    provider = _resolved(asked)[1] or "litellm"
    # To LiteLLM all hosts that speak OpenAI's language may be `openai`.
    return host, port, provider_at(host, provider) if provider == "openai" else provider


def model(asked: Body) -> str | None:
    return _resolved(asked)[0]


# ---- Calls: https://docs.litellm.ai/docs/completion/input and output -----------------------------------------


def chat_asked(asked: Body) -> dict[str, Attribute]:
    attributes = chat_completions.asked(asked)
    if isinstance(asked.get("response_format"), type):  # a model of pydantic's, whose schema is sent
        attributes[semconv.OUTPUT_TYPE] = "json"
    return attributes


def telling(fold: Fold) -> Fold:
    """A `fold` of OpenAI's format that knows how LiteLLM tells the usage."""

    def told(answer: Answer, piece: Any) -> int:
        brings = fold(answer, piece)
        if answer.finish_reasons and answer.usage.input is None:
            # What the provider has sent unasked is with the last chunk, out of sight (1.106).
            usage = get(getattr(piece, "_hidden_params", None), "usage")
            if usage is not None:
                chat_completions.fold_usage(answer, usage)
        if answer.usage.input == 0 and not answer.usage.output:
            answer.usage = Usage()  # 0 stands for what nobody has told
        return brings

    return told


def _operation(operation: Operation, **facts: Any) -> Operation:
    return replace(operation, model=model, usage_request=None, **facts)


_CHAT = _operation(chat_completions.OPERATION, parameters=chat_asked, fold=telling(chat_completions.fold))
_COMPLETION = _operation(completions.OPERATION, fold=telling(completions.fold))
_EMBEDDING = _operation(embeddings.OPERATION, fold=telling(embeddings.fold))
_RESPONSES = _operation(responses.OPERATION)

ADAPTERS = (
    Adapter(
        provider="litellm",
        module="litellm",
        operations={
            "completion": _CHAT,
            "acompletion": _CHAT,
            "text_completion": _COMPLETION,
            "atext_completion": _COMPLETION,
            "embedding": _EMBEDDING,
            "aembedding": _EMBEDDING,
            "responses": _RESPONSES,
            "aresponses": _RESPONSES,
        },
        install=install,
    ),
)
