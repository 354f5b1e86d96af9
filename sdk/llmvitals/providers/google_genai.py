"""Google's client: generateContent, whole and streamed, and embeddings, of the Gemini API and of Vertex AI."""

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

from llmvitals import _enclosing, _methods, semconv
from llmvitals._adapter import NOTHING, Adapter, Answer, Attribute, Body, Operation, address, get, parameters
from llmvitals._patch import Patch, wrap
from llmvitals.formats import generate_content

# What the app reads. In it the client makes a request after the other, as long as the model calls functions that
# it can call by itself; each is a call.
_STREAMS = (
    "Models.generate_content_stream",
    "AsyncModels.generate_content_stream",
    "Chat.send_message_stream",
    "AsyncChat.send_message_stream",
)


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    api_client = sys.modules["google.genai._api_client"]
    return [
        *_methods.install(adapter, module, server=_server),
        *_enclosing.install(adapter, module, _STREAMS),
        wrap(api_client, "BaseApiClient._request_once", _methods.attempt),
        wrap(api_client, "BaseApiClient._async_request_once", _methods.attempt),
    ]


def _server(models: Any) -> tuple[str | None, int | None, str]:
    client = models._api_client
    return *address(client._http_options.base_url), "gcp.vertex_ai" if client.vertexai else "gcp.gemini"


def model(body: Body) -> str | None:
    """The model's own name, without the resource that it is in: `models/gemini-x` is `gemini-x`."""
    named = body.get("model")
    return named.rpartition("/")[2] if isinstance(named, str) else None


_EMBEDDINGS = {"output_dimensionality": (semconv.EMBEDDINGS_DIMENSION_COUNT, int)}


def embeddings_asked(body: Body) -> dict[str, Attribute]:
    """https://ai.google.dev/api/embeddings"""
    return parameters(generate_content.fields(body.get("config")), _EMBEDDINGS)


def fold_embeddings(answer: Answer, piece: Any) -> int:
    """Fold a list of embeddings; the vectors are never looked at. Vertex AI's predict counts each input by itself."""
    answer.usage.input = get(get(piece, "usage_metadata"), "prompt_token_count")
    counts = [get(get(each, "statistics"), "token_count") for each in get(piece, "embeddings") or ()]
    if answer.usage.input is None and any(count is not None for count in counts):
        answer.usage.input = int(sum(count or 0 for count in counts))
    return NOTHING


_GENERATE = Operation(
    semconv.GENERATE_CONTENT,
    generate_content.asked,
    generate_content.fold,
    input=("config.system_instruction", "contents"),
    content=generate_content.content,
    model=model,
    streamed=lambda _: False,
)
_STREAM = replace(_GENERATE, streamed=lambda _: True)
_EMBED = Operation(semconv.EMBEDDINGS, embeddings_asked, fold_embeddings, input=("contents",), model=model)

ADAPTERS = (
    Adapter(
        provider="gcp.gemini",
        module="google.genai.chats",  # the last of those that are watched here to be imported
        operations={
            "Models._generate_content": _GENERATE,
            "AsyncModels._generate_content": _GENERATE,
            "Models._generate_content_stream": _STREAM,
            "AsyncModels._generate_content_stream": _STREAM,
            "Models.embed_content": _EMBED,
            "AsyncModels.embed_content": _EMBED,
        },
        install=install,
    ),
)
