"""Cohere's Chat, version 2, on the wire (https://docs.cohere.com/v2/reference/chat-stream)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, FAILURE, Event, Reply, sse

MEDIA_TYPE = EVENT_STREAM

# Tokens of the chat's template: they are counted as input, but not billed.
TEMPLATE_TOKENS = 2


def whole(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    if reply.behaviour.tool_call:
        message |= {"tool_plan": "".join(reply.reasoning)}
        message |= {"tool_calls": [_tool_call(reply, "".join(reply.tool_arguments))]}
    else:
        message["content"] = [{"type": kind, kind: "".join(words)} for kind, words in _content(reply)]
    return {"id": reply.key, "message": message, **_ending(reply)}


def events(reply: Reply) -> Iterator[Event]:
    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", {"message": begun}, id=reply.key)
    if reply.behaviour.tool_call:
        yield from _tool_call_events(reply)
    else:
        for index, (kind, words) in enumerate(_content(reply)):
            yield _event("content-start", {"message": {"content": {"type": kind, kind: ""}}}, index=index)
            for word in words:
                yield _event("content-delta", {"message": {"content": {kind: word}}}, index=index, is_token=True)
            yield _event("content-end", index=index)
    yield _event("message-end", _ending(reply))
    yield Event(b"data: [DONE]\n\n")


def broken(_reply: Reply, _sent: int) -> Iterator[Event]:
    yield _event("message-end", {"error": FAILURE, "finish_reason": "ERROR"})
    yield Event(b"data: [DONE]\n\n")


def error(_status: int, message: str) -> dict[str, Any]:
    return {"message": message}


def usage(reply: Reply) -> dict[str, Any]:
    """Cached tokens are a part of the input; reasoning is not told apart from the output."""
    told = reply.behaviour
    counted = told.input_tokens + TEMPLATE_TOKENS
    return {
        "billed_units": {"input_tokens": told.input_tokens, "output_tokens": told.output_tokens},
        "tokens": {"input_tokens": counted, "output_tokens": told.output_tokens},
        "cached_tokens": told.cache_read_tokens,
    }


def _event(name: str, delta: dict[str, Any] | None = None, *, is_token: bool = False, **fields: Any) -> Event:
    body = {"type": name, **fields} | ({"delta": delta} if delta else {})
    return sse(body, name, is_token=is_token)


def _content(reply: Reply) -> Iterator[tuple[str, list[str]]]:
    """Each item's type, which is also the key of its text, and its words."""
    if reply.reasoning:
        yield "thinking", reply.reasoning
    yield "text", reply.text


def _tool_call_events(reply: Reply) -> Iterator[Event]:
    for thought in reply.reasoning:
        yield _event("tool-plan-delta", {"message": {"tool_plan": thought}}, is_token=True)
    yield _event("tool-call-start", {"message": {"tool_calls": _tool_call(reply, "")}}, index=0, is_token=True)
    for piece in reply.tool_arguments:
        called = {"function": {"arguments": piece}}
        yield _event("tool-call-delta", {"message": {"tool_calls": called}}, index=0, is_token=True)
    yield _event("tool-call-end", index=0)


def _tool_call(reply: Reply, arguments: str) -> dict[str, Any]:
    function = {"name": reply.tool_name, "arguments": arguments}
    return {"id": f"{reply.tool_name}_{reply.key}", "type": "function", "function": function}


def _ending(reply: Reply) -> dict[str, Any]:
    """A refusal ends like any other text."""
    reason = {"finish_reason": "TOOL_CALL" if reply.behaviour.tool_call else "COMPLETE"}
    return reason if reply.behaviour.usage_missing else reason | {"usage": usage(reply)}
