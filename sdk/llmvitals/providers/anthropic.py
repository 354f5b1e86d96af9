"""Anthropic's client: messages, on Anthropic's own hosts, Bedrock and Vertex."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from llmvitals import _stainless, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Adapter, Answer, Operation, Request, get, parameters
from llmvitals._patch import Patch, wrap_property

_MESSAGES = {
    "max_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "stop_sequences": (semconv.REQUEST_STOP_SEQUENCES, list),
}


def request(body: Mapping[str, Any]) -> Request:
    attributes = parameters(body, _MESSAGES)
    effort = get(body.get("output_config"), "effort")
    if isinstance(effort, str):
        attributes[semconv.REQUEST_REASONING_LEVEL] = effort
    model = body.get("model")
    return Request(str(model) if model is not None else None, body.get("stream") is True, attributes)


def fold(answer: Answer, piece: Any) -> int:
    """Fold a message, or one event of its stream: https://docs.anthropic.com/en/api/messages-streaming"""
    kind = get(piece, "type")
    if kind == "content_block_delta":
        return _delta(answer, get(get(piece, "delta"), "type"))
    if kind == "message_delta":
        _stopped(answer, get(piece, "delta"))
        _usage(answer, get(piece, "usage"))
    elif kind == "message":
        _message(answer, piece)
    elif kind == "message_start":
        _message(answer, get(piece, "message"))
        answer.usage.output = None  # a placeholder: the count comes with message_delta, if the app waits for it
    return NOTHING


def _message(answer: Answer, message: Any) -> None:
    answer.id = get(message, "id")
    answer.model = get(message, "model")
    _stopped(answer, message)
    _usage(answer, get(message, "usage"))


def _delta(answer: Answer, kind: str) -> int:
    if kind in ("text_delta", "input_json_delta"):
        return ANSWER
    if kind == "thinking_delta":
        answer.reasoning_seen = True
        return REASONING
    return NOTHING  # signatures and citations are no tokens


def _stopped(answer: Answer, node: Any) -> None:
    reason = get(node, "stop_reason")
    if reason is not None:
        answer.finish_reasons = [reason]


def _usage(answer: Answer, usage: Any) -> None:
    """Take in a usage; those of a stream are cumulative, and leave out what has not changed.

    Anthropic counts cached tokens apart from `input_tokens`, the conventions count them in.
    """
    if usage is None:
        return
    tokens = answer.usage
    read, write = get(usage, "cache_read_input_tokens"), get(usage, "cache_creation_input_tokens")
    uncached = get(usage, "input_tokens")
    if uncached is not None:
        tokens.input = uncached + (read or 0) + (write or 0)
        tokens.cache_read, tokens.cache_write = read, write
    output = get(usage, "output_tokens")
    if output is not None:
        tokens.output = output
    reasoning = get(get(usage, "output_tokens_details"), "thinking_tokens")
    if reasoning is not None:
        tokens.reasoning = reasoning


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    patches = _stainless.install(adapter, module)
    if hasattr(module.BaseClient, "_tracer"):  # anthropic 2
        patches.append(wrap_property(module, "BaseClient._tracer", _only_when_asked_for))
    return patches


def _only_when_asked_for(read: Callable[[Any], Any], client: Any) -> Any:
    """Keep the span that anthropic 2 makes of each call by itself for those who ask for it: one call is one span.

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


ADAPTER = Adapter(
    provider="anthropic",
    module="anthropic._base_client",
    operations={"/v1/messages": Operation(semconv.CHAT, request, fold)},
    install=install,
)
