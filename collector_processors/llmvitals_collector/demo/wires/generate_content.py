"""Google's generateContent on the wire, of the Gemini API and of Vertex AI (https://ai.google.dev/api/generate-content)."""

import json
from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, FAILURE, TOOL_NAME, Event, Reply, sse

MEDIA_TYPE = EVENT_STREAM

# https://ai.google.dev/gemini-api/docs/troubleshooting
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def whole(reply: Reply) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if reply.reasoning:
        parts.append({"text": "".join(reply.reasoning), "thought": True})
    if reply.behaviour.tool_call:
        parts.append(_function_call(reply))
    elif not reply.behaviour.refusal:
        parts.append({"text": "".join(reply.text)})
    return _ended(reply, parts)


def events(reply: Reply) -> Iterator[Event]:
    """Each with the usage so far, and the last with how it ended."""
    told = reply.behaviour
    thoughts, said = 0 if told.reasoning_streamed else told.reasoning_tokens, 0
    for part in _pieces(reply):
        thoughts += "thought" in part
        said += "thought" not in part
        yield sse(_response(reply, {"content": _content([part])}, thoughts, said), is_token=True)
    yield sse(_ended(reply, [] if told.refusal else [{"text": ""}]))


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    """An error as in an error response: on lines of its own, which are no server-sent event."""
    failure = error(reply.behaviour.error_status or 503, FAILURE)
    yield Event(f"{json.dumps(failure, indent=2)}\n".encode())


def error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN")}}


def _response(reply: Reply, candidate: dict[str, Any], thoughts: int, said: int) -> dict[str, Any]:
    """thoughts, said: how many tokens of them there are in each of the candidates, which are all the same."""
    count = (reply.request.get("generationConfig") or {}).get("candidateCount") or 1
    return {
        "candidates": [candidate | {"index": index} for index in range(count)],
        "modelVersion": reply.model,
        "responseId": reply.key,
        **_usage(reply, thoughts * count, said * count),
    }


def _ended(reply: Reply, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """With how it ended: a function call like a text, and what is blocked without a content."""
    told = reply.behaviour
    candidate: dict[str, Any] = {"content": _content(parts)} if parts else {}
    if told.refusal:
        rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
        candidate |= {"finishReason": "SAFETY", "safetyRatings": [rating]}
    else:
        candidate |= {"finishReason": "STOP"}
    return _response(reply, candidate, told.reasoning_tokens, told.output_tokens - told.reasoning_tokens)


def _content(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "model", "parts": parts}


def _pieces(reply: Reply) -> Iterator[dict[str, Any]]:
    """The parts, one per token; a function call comes at once."""
    for thought in reply.reasoning:
        yield {"text": thought, "thought": True}
    if reply.behaviour.tool_call:
        yield _function_call(reply)
    elif not reply.behaviour.refusal:
        for word in reply.text:
            yield {"text": word}


def _function_call(reply: Reply) -> dict[str, Any]:
    tools = reply.request.get("tools") or []
    declared = [function["name"] for tool in tools for function in tool.get("functionDeclarations") or []]
    arguments = json.loads("".join(reply.tool_arguments))
    return {"functionCall": {"id": reply.key, "name": declared[0] if declared else TOOL_NAME, "args": arguments}}


def _usage(reply: Reply, thoughts: int, said: int) -> dict[str, Any]:
    """Cached tokens are a part of the prompt's; thoughts are none of the candidates'. What is zero is not told."""
    told = reply.behaviour
    if told.usage_missing:
        return {}
    counts = {
        "promptTokenCount": told.input_tokens,
        "cachedContentTokenCount": told.cache_read_tokens,
        "candidatesTokenCount": said,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": told.input_tokens + thoughts + said,
    }
    return {"usageMetadata": {name: count for name, count in counts.items() if count}}
