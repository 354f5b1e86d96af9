"""Cohere's Chat, version 1, on the wire (https://docs.cohere.com/v1/reference/chat-stream)."""

import json
from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import JSON_LINES, Event, Reply, json_line
from llmvitals_collector.demo.wires.cohere_chat_v2 import error as error  # both versions have the same error bodies
from llmvitals_collector.demo.wires.cohere_chat_v2 import usage

MEDIA_TYPE = JSON_LINES


def whole(reply: Reply) -> dict[str, Any]:
    meta: dict[str, Any] = {"api_version": {"version": "1"}}
    called = reply.behaviour.tool_call
    return {
        "response_id": reply.key,
        "generation_id": reply.key,
        "text": "" if called else "".join(reply.text),
        "finish_reason": _finish_reason(reply),
        **({"tool_calls": _tool_calls(reply)} if called else {}),
        "meta": meta if reply.behaviour.usage_missing else meta | usage(reply),
    }


def events(reply: Reply) -> Iterator[Event]:
    """Reasoning is counted, but never told."""
    yield _event("stream-start", generation_id=reply.key)
    if reply.behaviour.tool_call:
        yield _event("tool-calls-chunk", tool_call_delta={"index": 0, "name": reply.tool_name}, is_token=True)
        for piece in reply.tool_arguments:
            yield _event("tool-calls-chunk", tool_call_delta={"index": 0, "parameters": piece}, is_token=True)
        yield _event("tool-calls-generation", tool_calls=_tool_calls(reply))
    else:
        for word in reply.text:
            yield _event("text-generation", text=word, is_token=True)
    yield _event("stream-end", finish_reason=_finish_reason(reply), response=whole(reply))


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    yield _event("stream-end", finish_reason="ERROR", response={"generation_id": reply.key, "text": ""})


def _event(name: str, *, is_token: bool = False, **fields: Any) -> Event:
    return json_line({"is_finished": name == "stream-end", "event_type": name, **fields}, is_token=is_token)


def _tool_calls(reply: Reply) -> list[dict[str, Any]]:
    return [{"name": reply.tool_name, "parameters": json.loads("".join(reply.tool_arguments))}]


def _finish_reason(reply: Reply) -> str:
    """A tool call ends like a text."""
    return "ERROR_TOXIC" if reply.behaviour.refusal else "COMPLETE"
