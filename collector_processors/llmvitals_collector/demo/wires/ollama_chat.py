"""Ollama's chat on the wire (https://docs.ollama.com/api/chat)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from llmvitals_collector.demo.wire import FAILURE, JSON_LINES, Event, Reply, json_line

MEDIA_TYPE = JSON_LINES


def whole(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"content": "" if reply.behaviour.tool_call else "".join(reply.text)}
    if reply.reasoning:
        message["thinking"] = "".join(reply.reasoning)
    if reply.behaviour.tool_call:
        message |= _called(reply)
    return _said(reply, message) | ending(reply)


def events(reply: Reply) -> Iterator[Event]:
    for thought in reply.reasoning:
        yield json_line(_said(reply, {"content": "", "thinking": thought}), is_token=True)
    if reply.behaviour.tool_call:  # in one piece
        yield json_line(_said(reply, {"content": "", **_called(reply)}), is_token=True)
    else:
        for word in reply.text:
            yield json_line(_said(reply, {"content": word}), is_token=True)
    yield json_line(_said(reply, {"content": ""}) | ending(reply))


def broken(_reply: Reply, _sent: int) -> Iterator[Event]:
    yield json_line(error(500, FAILURE))


def error(_status: int, message: str) -> dict[str, Any]:
    return {"error": message}


# ---- What Ollama's APIs share ---------------------------------------------------------------------


def head(reply: Reply) -> dict[str, Any]:
    created = datetime.fromtimestamp(reply.created, UTC).isoformat()
    return {"model": reply.model, "created_at": created, "done": False}


def ending(reply: Reply) -> dict[str, Any]:
    """What the last object has; times are nanoseconds."""
    told = reply.behaviour
    load, prompt = _nanoseconds(told.headers_after_seconds), _nanoseconds(told.first_token_seconds)
    output = _nanoseconds(max(told.output_tokens - 1, 0) * told.token_seconds)
    counts = {"prompt_eval_count": told.input_tokens, "eval_count": told.output_tokens}
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": load + prompt + output,
        "load_duration": load,
        "prompt_eval_duration": prompt,
        "eval_duration": output,
        **({} if told.usage_missing else counts),
    }


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _said(reply: Reply, message: dict[str, Any]) -> dict[str, Any]:
    return head(reply) | {"message": {"role": "assistant", **message}}


def _called(reply: Reply) -> dict[str, Any]:
    arguments = json.loads("".join(reply.tool_arguments))
    return {"tool_calls": [{"function": {"name": reply.tool_name, "arguments": arguments}}]}
