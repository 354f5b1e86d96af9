"""The client libraries that llmvitals knows, a file each; a file is loaded when its client is.

Each has `ADAPTERS`, one for each module of the client that is patched when it has been imported.
"""

import importlib

from llmvitals._adapter import Adapter

# The module of a client -> the file here that knows it.
PROVIDERS = {
    "anthropic._base_client": "anthropic",
    "botocore.client": "bedrock",
    "cerebras.cloud.sdk._base_client": "cerebras",
    **dict.fromkeys(("cohere.base_client", "cohere.client", "cohere.v2.client"), "cohere"),
    "google.genai.chats": "google_genai",
    "groq._base_client": "groq",
    **dict.fromkeys(
        ("huggingface_hub.inference._client", "huggingface_hub.inference._generated._async_client"), "huggingface"
    ),
    "litellm": "litellm",
    **dict.fromkeys(
        (
            *(f"mistralai.client.{name}" for name in ("chat", "agents", "fim", "embeddings", "conversations")),
            *("mistralai.azure.client.chat", "mistralai.gcp.client.chat", "mistralai.gcp.client.fim"),
            *(f"mistralai.{name}client._hooks.sdkhooks" for name in ("", "azure.", "gcp.")),
        ),
        "mistral",
    ),
    "ollama._client": "ollama",
    "openai._base_client": "openai",
}


def adapters(module: str) -> list[Adapter]:
    """The adapters of a client's module, which is one of PROVIDERS."""
    provider = importlib.import_module(f"{__name__}.{PROVIDERS[module]}")
    return [adapter for adapter in provider.ADAPTERS if adapter.module == module]
