"""Mistral's client: chat, agents, fill in the middle, conversations and embeddings; on Azure and Vertex AI, too."""

import os
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

from llmvitals import _methods, semconv
from llmvitals._adapter import Adapter, Answer, Attribute, Body, Operation, address, parameters
from llmvitals._content import Content
from llmvitals._patch import Patch, wrap
from llmvitals.formats import embeddings, mistral_chat, mistral_conversations


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    """Watch the methods of a resource, whose module the client imports when it is first used."""
    return _methods.install(adapter, module, omitted=module.UNSET, server=_server, streams_from="generator")


def _install_attempts(_adapter: Adapter, module: ModuleType) -> list[Patch]:
    return [wrap(module, "SDKHooks.before_request", _methods.attempt)]


def _server(resource: Any) -> tuple[str | None, int | None]:
    url, _ = resource.sdk_configuration.get_server_details()
    return address(url)


def _traced_by_itself(resource: Any) -> bool:
    """Whether the user has asked for the client's own spans (mistralai 2 and 3), among those of the app.

    Those of its `dedicated` telemetry go to Mistral by a way of their own, and the app's telemetry has none of them.
    """
    hooks = resource.sdk_configuration._hooks.before_request_hooks
    hook = next((each for each in hooks if hasattr(each, "_telemetry_use_global_provider")), None)
    if hook is None:
        return False
    if hook._telemetry_use_global_provider:
        return True
    if hook.tracer_provider is not None:
        return hook.tracer_provider is not hook._auto_telemetry_provider
    # The client reads it when it makes its first request.
    return os.environ.get("MISTRAL_SDK_TELEMETRY", "").strip().lower() == "global"


# ---- Embeddings: OpenAI's under names of Mistral's own, https://docs.mistral.ai/api/endpoint/embeddings ------

_EMBEDDINGS = {"output_dimension": (semconv.EMBEDDINGS_DIMENSION_COUNT, int)}


def embeddings_asked(body: Body) -> dict[str, Attribute]:
    return embeddings.asked(body) | parameters(body, _EMBEDDINGS)


def fold_embeddings(answer: Answer, piece: Any) -> int:
    brings = embeddings.fold(answer, piece)
    answer.usage.input = answer.usage.input or None  # 0 where it is not told, as of a completion
    return brings


def embeddings_content(body: Body) -> Content:
    return embeddings.content({"input": body.get("inputs")})


# ---- The resources, of three clients in one library --------------------------------------------------------

_EMBED = replace(
    embeddings.OPERATION,
    parameters=embeddings_asked,
    fold=fold_embeddings,
    input=("inputs",),
    content=embeddings_content,
)

# module and class -> method -> operation; each method has an asynchronous twin
_RESOURCES = {
    "chat.Chat": {"complete": mistral_chat.OPERATION, "stream": mistral_chat.OPERATION},
    "agents.Agents": {"complete": mistral_chat.OPERATION, "stream": mistral_chat.OPERATION},
    "fim.Fim": {"complete": mistral_chat.FIM, "stream": mistral_chat.FIM},
    "embeddings.Embeddings": {"create": _EMBED},
    "conversations.Conversations": {
        f"{verb}{style}": mistral_conversations.OPERATION
        for verb in ("start", "append", "restart")
        for style in ("", "_stream")
    },
}
_CLIENTS = {
    "mistralai.client": ("mistral_ai", tuple(_RESOURCES)),
    "mistralai.azure.client": ("azure.ai.inference", ("chat.Chat",)),
    "mistralai.gcp.client": ("gcp.vertex_ai", ("chat.Chat", "fim.Fim")),
}


def _operations(kind: str, methods: dict[str, Operation]) -> dict[str, Operation]:
    operations: dict[str, Operation] = {}
    for name, operation in methods.items():
        streamed = replace(operation, streamed=_always) if name.endswith("stream") else operation
        operations |= {f"{kind}.{name}": streamed, f"{kind}.{name}_async": streamed}
    return operations


def _always(_body: Body) -> bool:
    return True


def _adapters() -> Iterator[Adapter]:
    for client, (provider, resources) in _CLIENTS.items():
        yield Adapter(provider, f"{client}._hooks.sdkhooks", {}, _install_attempts)
        for resource in resources:
            module, kind = resource.split(".")
            operations = _operations(kind, _RESOURCES[resource])
            yield Adapter(provider, f"{client}.{module}", operations, install, _traced_by_itself)


ADAPTERS = tuple(_adapters())
