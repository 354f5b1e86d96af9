"""Anthropic's Messages on the wire (https://docs.claude.com/en/api/messages-streaming)."""

import json
from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, FAILURE, Event, Reply, Step, sse

MEDIA_TYPE = EVENT_STREAM
# https://docs.claude.com/en/api/errors
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def whole(reply: Reply) -> dict[str, Any]:
    return _message(reply) | _stop(reply) | {"content": list(_blocks(reply)), "usage": _usage(reply)}


def events(reply: Reply) -> Iterator[Event]:
    for step in steps(reply):
        yield sse({"type": step.name, **step.fields}, step.name, is_token=step.is_token)


def steps(reply: Reply) -> Iterator[Step]:
    """The events before they are framed; each has its name also as its `type`."""
    begun = {key: 1 if key == "output_tokens" else count for key, count in _usage(reply).items()}
    yield Step("message_start", {"message": _message(reply) | {"usage": begun}})
    for index, block in enumerate(_blocks(reply)):
        yield from _tell_block(reply, block, index)
        yield Step("content_block_stop", {"index": index})
    yield Step("message_delta", {"delta": _stop(reply), "usage": _usage(reply)})
    yield Step("message_stop", {})


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    yield sse(error(reply.behaviour.error_status or 500, FAILURE), "error")


def error(status: int, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": ERROR_TYPES.get(status, "api_error"), "message": message}}


def _tell_block(reply: Reply, block: dict[str, Any], index: int) -> Iterator[Step]:
    def delta(kind: str, key: str, value: str, *, is_token: bool = True) -> Step:
        return Step("content_block_delta", {"index": index, "delta": {"type": kind, key: value}}, is_token)

    called = block["type"] == "tool_use"
    empty = {"thinking": "", "signature": "", "text": "", "input": {}}
    begun = {key: empty.get(key, value) for key, value in block.items()}
    yield Step("content_block_start", {"index": index, "content_block": begun}, is_token=called)
    if index == 0:
        yield Step("ping", {})
    if called:
        for piece in reply.tool_arguments:
            yield delta("input_json_delta", "partial_json", piece)
    elif block["type"] == "thinking":
        for thought in reply.reasoning:
            yield delta("thinking_delta", "thinking", thought)
        yield delta("signature_delta", "signature", block["signature"], is_token=False)
    else:
        for word in reply.text:
            yield delta("text_delta", "text", word)


def _message(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"msg_{reply.key}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _blocks(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.reasoning:
        yield {"type": "thinking", "thinking": "".join(reply.reasoning), "signature": reply.key}
    if reply.behaviour.tool_call:
        arguments = json.loads("".join(reply.tool_arguments))
        yield {"type": "tool_use", "id": f"toolu_{reply.key}", "name": reply.tool_name, "input": arguments}
    else:
        yield {"type": "text", "text": "".join(reply.text)}


def _stop(reply: Reply) -> dict[str, Any]:
    reason = "refusal" if reply.behaviour.refusal else "tool_use" if reply.behaviour.tool_call else "end_turn"
    return {"stop_reason": reason, "stop_sequence": None}


def _usage(reply: Reply) -> dict[str, Any]:
    """Here `input_tokens` are those that the cache had no part in, unlike OpenAI's, which are all.

    Empty when it is missing: the client cannot read a stream without the object itself.
    """
    told = reply.behaviour
    if told.usage_missing:
        return {}
    return {
        "input_tokens": told.input_tokens - told.cache_read_tokens - told.cache_write_tokens,
        "cache_read_input_tokens": told.cache_read_tokens,
        "cache_creation_input_tokens": told.cache_write_tokens,
        "output_tokens": told.output_tokens,
        "output_tokens_details": {"thinking_tokens": told.reasoning_tokens},
    }
