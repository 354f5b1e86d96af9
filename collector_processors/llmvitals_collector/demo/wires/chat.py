"""OpenAI's Chat Completions on the wire (https://platform.openai.com/docs/api-reference/chat)."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from llmvitals_collector.demo.wire import EVENT_STREAM, FAILURE, Event, Reply, sse

MEDIA_TYPE = EVENT_STREAM
DONE = Event(b"data: [DONE]\n\n")
# OpenAI keeps the reasoning to itself; this is where most of those tell it who speak its wire format.
REASONING = "reasoning_content"
# Types of error responses; everything else the API calls a `server_error`.
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "invalid_request_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}


class Delta(NamedTuple):
    """What one chunk adds to the message of each choice."""

    message: dict[str, Any]
    finish_reason: str | None = None
    is_token: bool = False


class Chunk(NamedTuple):
    """An event before it is framed."""

    body: dict[str, Any]
    is_token: bool = False


def whole(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    return counted(reply, {"service_tier": "default"} | completion(reply, message | spoken(reply)), usage(reply))


def events(reply: Reply) -> Iterator[Event]:
    asked = usage_asked(reply)
    extra: dict[str, Any] = {"service_tier": "default"} | ({"usage": None} if asked else {})
    for chunk in chunks(reply, deltas(reply)):
        yield sse(chunk.body | extra, is_token=chunk.is_token)
    if asked:
        yield sse(head(reply, "chat.completion.chunk") | extra | {"choices": [], "usage": usage(reply)})
    yield DONE


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    yield sse(error(reply.behaviour.error_status or 500, FAILURE))


def error(status: int, message: str) -> dict[str, Any]:
    kind = ERROR_TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


# ---- What those share who speak this wire format with a difference --------------------------------


def head(reply: Reply, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{reply.key}", "object": kind, "created": reply.created, "model": reply.model}


def completion(reply: Reply, message: dict[str, Any]) -> dict[str, Any]:
    """An answer sent whole, with the message in each choice, and without usage."""
    reason = finish_reason(reply)
    choices = [{"index": n, "message": message, "finish_reason": reason, "logprobs": None} for n in reply.choices]
    return head(reply, "chat.completion") | {"choices": choices}


def spoken(reply: Reply, reasoning: str = REASONING) -> dict[str, Any]:
    """What the model said, as fields of a message. reasoning: the field for that."""
    message: dict[str, Any] = {reasoning: "".join(reply.reasoning)} if reply.reasoning else {}
    if reply.behaviour.tool_call:
        return message | {"tool_calls": [tool_call(reply, "".join(reply.tool_arguments))]}
    return message | {_text_key(reply): "".join(reply.text)}


def deltas(reply: Reply, reasoning: str = REASONING) -> Iterator[Delta]:
    """What the model says, token by token. reasoning: the field for that."""
    yield Delta({"role": "assistant", "content": None if reply.behaviour.tool_call else ""})
    for thought in reply.reasoning:
        yield Delta({reasoning: thought}, is_token=True)
    if reply.behaviour.tool_call:
        yield Delta({"tool_calls": [{"index": 0, **tool_call(reply, "")}]}, is_token=True)
        for piece in reply.tool_arguments:
            yield Delta({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}, is_token=True)
    else:
        for word in reply.text:
            yield Delta({_text_key(reply): word}, is_token=True)
    yield Delta({}, finish_reason(reply))


def chunks(reply: Reply, deltas: Iterable[Delta]) -> Iterator[Chunk]:
    """The deltas as chunks, one for each choice, and without usage."""
    first = head(reply, "chat.completion.chunk")
    for delta in deltas:
        for index in reply.choices:
            choice = {
                "index": index,
                "delta": delta.message,
                "finish_reason": delta.finish_reason,
                "logprobs": None,
            }
            yield Chunk({**first, "choices": [choice]}, delta.is_token and index == 0)


def finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.behaviour.tool_call else "stop"


def tool_call(reply: Reply, arguments: str) -> dict[str, Any]:
    function = {"name": reply.tool_name, "arguments": arguments}
    return {"id": f"call_{reply.key}", "type": "function", "function": function}


def usage(reply: Reply) -> dict[str, Any]:
    told = reply.behaviour
    return {
        "prompt_tokens": told.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": told.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": told.cache_read_tokens,
            "cache_write_tokens": told.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens, "audio_tokens": 0},
    }


def counted(reply: Reply, answer: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
    """The answer, with its usage unless that is to be missing."""
    return answer if reply.behaviour.usage_missing else answer | {"usage": usage}


def usage_asked(reply: Reply) -> bool:
    """Whether a stream is to end with a chunk of usage."""
    asked = (reply.request.get("stream_options") or {}).get("include_usage", False)
    return bool(asked) and not reply.behaviour.usage_missing


def _text_key(reply: Reply) -> str:
    return "refusal" if reply.behaviour.refusal else "content"
