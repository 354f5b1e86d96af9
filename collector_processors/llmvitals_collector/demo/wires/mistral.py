"""Mistral's chat, agents and fill-in-the-middle completions on the wire (https://docs.mistral.ai/api)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, Event, Reply, sse
from llmvitals_collector.demo.wires import chat

MEDIA_TYPE = EVENT_STREAM
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "invalid_authentication",
    404: "invalid_model",
    429: "rate_limited",
    503: "service_tier_capacity_exceeded",
}


def whole(reply: Reply) -> dict[str, Any]:
    text = "" if reply.behaviour.tool_call else "".join(reply.text)
    message: dict[str, Any] = {"role": "assistant", "content": text, "tool_calls": None}
    if reply.reasoning:
        message["content"] = [_thinking("".join(reply.reasoning)), _text(text)]
    if reply.behaviour.tool_call:
        message |= _called(reply)
    return chat.completion(reply, message) | {"usage": _usage(reply)}


def events(reply: Reply) -> Iterator[Event]:
    """The usage is in the last chunk, without being asked for."""
    *others, last = chat.chunks(reply, _deltas(reply))
    for chunk in others:
        yield sse(chunk.body, is_token=chunk.is_token)
    yield sse(chat.counted(reply, last.body, _usage(reply)), is_token=last.is_token)
    yield chat.DONE


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    """No error object: the client (3.7) has no form for one in a stream, but a reason to finish."""
    for chunk in chat.chunks(reply, [chat.Delta({"content": ""}, "error")]):
        yield sse(chunk.body)
    yield chat.DONE


def error(status: int, message: str) -> dict[str, Any]:
    if status == 422:  # the one that the client has a class for
        return {"detail": [{"type": "value_error", "loc": ["body"], "msg": message, "input": None, "ctx": {}}]}
    kind = ERROR_TYPES.get(status, "internal_server_error")
    return {
        "object": "error",
        "message": message,
        "type": kind,
        "param": None,
        "code": None,
        "raw_status_code": status,
    }


def _deltas(reply: Reply) -> Iterator[chat.Delta]:
    """Pieces of the reasoning are typed, those of the text are strings; a tool call comes in one piece."""
    yield chat.Delta({"role": "assistant", "content": ""})
    for thought in reply.reasoning:
        yield chat.Delta({"content": [_thinking(thought)]}, is_token=True)
    if reply.behaviour.tool_call:
        yield chat.Delta(_called(reply), chat.finish_reason(reply), is_token=True)
        return
    for word in reply.text:
        yield chat.Delta({"content": word}, is_token=True)
    yield chat.Delta({"content": ""}, chat.finish_reason(reply))


def _called(reply: Reply) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, **chat.tool_call(reply, "".join(reply.tool_arguments))}]}


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [_text(text)], "closed": True}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _usage(reply: Reply) -> dict[str, Any]:
    """Empty when it is missing: the client cannot read an answer without the object itself."""
    told = reply.behaviour
    if told.usage_missing:
        return {}
    return {
        "prompt_tokens": told.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": told.input_tokens + reply.output_tokens,
        # https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching
        "prompt_tokens_details": {"cached_tokens": told.cache_read_tokens},
    }
