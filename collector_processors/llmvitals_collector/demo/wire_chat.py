"""OpenAI's Chat Completions on the wire (https://platform.openai.com/docs/api-reference/chat)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import FAILURE, Event, Reply, event

# Types of error responses; everything else the API calls a `server_error`.
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "invalid_request_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}


def whole(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if reply.reasoning:
        message["reasoning_content"] = "".join(reply.reasoning)
    if reply.behaviour.tool_call:
        message["tool_calls"] = [_tool_call(reply, "".join(reply.tool_arguments))]
    else:
        message[_text_key(reply)] = "".join(reply.text)
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply), "logprobs": None}
    answer = {**_head(reply, "chat.completion"), "choices": [choice]}
    return answer if reply.behaviour.usage_missing else answer | {"usage": _usage(reply)}


def events(reply: Reply) -> Iterator[Event]:
    asked = (reply.request.get("stream_options") or {}).get("include_usage", False)
    counted = asked and not reply.behaviour.usage_missing
    head = _head(reply, "chat.completion.chunk") | ({"usage": None} if counted else {})

    def chunk(delta: dict[str, Any], finish_reason: str | None = None, *, is_token: bool = False) -> Event:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return event({**head, "choices": [choice]}, is_token=is_token)

    yield chunk({"role": "assistant", "content": None if reply.behaviour.tool_call else "", "refusal": None})
    # OpenAI keeps the reasoning to itself; this is how those say it who speak its wire format.
    for thought in reply.reasoning:
        yield chunk({"reasoning_content": thought}, is_token=True)
    if reply.behaviour.tool_call:
        yield chunk({"tool_calls": [{"index": 0, **_tool_call(reply, "")}]}, is_token=True)
        for piece in reply.tool_arguments:
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}, is_token=True)
    else:
        for word in reply.text:
            yield chunk({_text_key(reply): word}, is_token=True)
    yield chunk({}, _finish_reason(reply))
    if counted:
        yield event({**head, "choices": [], "usage": _usage(reply)})
    yield Event(b"data: [DONE]\n\n")


def broken(_reply: Reply, _sent: int) -> Iterator[Event]:
    yield event(error(500, FAILURE))


def error(status: int, message: str) -> dict[str, Any]:
    kind = ERROR_TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _head(reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.key}",
        "object": kind,
        "created": reply.created,
        "model": reply.model,
        "service_tier": "default",
    }


def _text_key(reply: Reply) -> str:
    return "refusal" if reply.behaviour.refusal else "content"


def _finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.behaviour.tool_call else "stop"


def _tool_call(reply: Reply, arguments: str) -> dict[str, Any]:
    function = {"name": reply.tool_name, "arguments": arguments}
    return {"id": f"call_{reply.key}", "type": "function", "function": function}


def _usage(reply: Reply) -> dict[str, Any]:
    told = reply.behaviour
    return {
        "prompt_tokens": told.input_tokens,
        "completion_tokens": told.output_tokens,
        "total_tokens": told.input_tokens + told.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": told.cache_read_tokens,
            "cache_write_tokens": told.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": told.reasoning_tokens, "audio_tokens": 0},
    }
