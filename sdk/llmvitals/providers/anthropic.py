"""Anthropic's client: messages, on Anthropic's own hosts, Bedrock and Vertex."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from llmvitals import _stainless
from llmvitals._adapter import Adapter
from llmvitals._patch import Patch, wrap_property
from llmvitals.formats import messages


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    patches = _stainless.install(adapter, module)
    if hasattr(module.BaseClient, "_tracer"):  # anthropic 2
        patches.append(wrap_property(module, "BaseClient._tracer", _only_when_asked_for))
    return patches


def _only_when_asked_for(read: Callable[[Any], Any], client: Any) -> Any:
    """The tracer with which anthropic 2 makes a span of each call by itself, for those who ask for that span.

    To ask is to give the client options that say more than the default: a tracer provider, a
    conversation, or content. ANTHROPIC_OPEN_TELEMETRY=true is the default, and the client reads no more into it.
    """
    options = client._open_telemetry
    asked_for = (
        "tracer_provider" in options
        or "conversation_id" in options
        or options["traces"]["content_mode"] != "metadata_only"
    )
    return read(client) if asked_for else None


ADAPTERS = (
    Adapter(
        provider="anthropic",
        module="anthropic._base_client",
        operations={"/v1/messages": messages.OPERATION},
        install=install,
        traced_by_itself=lambda client: getattr(client, "_tracer", None) is not None,
    ),
)
