"""Bedrock's Converse on the wire (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)."""

import json
from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo import eventstream
from llmvitals_collector.demo.wire import FAILURE, TOOL_NAME, Event, Reply, Step

MEDIA_TYPE = eventstream.MEDIA_TYPE

# Everything else is an `InternalServerException`.
EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
# Those of a stream, likewise.
STREAM_EXCEPTIONS = {
    400: "validationException",
    424: "modelStreamErrorException",
    429: "throttlingException",
    503: "serviceUnavailableException",
}


def headers(reply: Reply) -> dict[str, str]:
    """Those of Bedrock: what kind of error it is stands here, not in the body."""
    told = {"x-amzn-requestid": reply.key}
    status = reply.behaviour.status
    return told if status == 200 else told | {"x-amzn-errortype": EXCEPTIONS.get(status, "InternalServerException")}


def whole(reply: Reply) -> dict[str, Any]:
    return said(reply) | _metadata(reply, usage(reply))


def events(reply: Reply) -> Iterator[Event]:
    for step in steps(reply, usage(reply)):
        yield eventstream.event(step.name, step.fields, is_token=step.is_token)


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    name = STREAM_EXCEPTIONS.get(reply.behaviour.error_status or 424, "internalServerException")
    yield eventstream.exception(name, {"message": FAILURE})


def error(_status: int, message: str) -> dict[str, Any]:
    return {"message": message}


def said(reply: Reply) -> dict[str, Any]:
    """What the model says and how it ends."""
    return {"output": {"message": {"role": "assistant", "content": list(_blocks(reply))}}, **_stop(reply)}


def steps(reply: Reply, counts: dict[str, int]) -> Iterator[Step]:
    """The events before they are framed, with the counts of tokens in the last. That a text starts is not told."""
    yield Step("messageStart", {"role": "assistant"})
    for index, block in enumerate(_blocks(reply)):
        place = {"contentBlockIndex": index}
        for name, part, is_token in _parts(reply, block):
            yield Step(f"contentBlock{name.title()}", {name: part, **place}, is_token)
        yield Step("contentBlockStop", place)
    yield Step("messageStop", _stop(reply))
    yield Step("metadata", _metadata(reply, counts))


def usage(reply: Reply) -> dict[str, int]:
    """The input's tokens are those that the cache had no part in; reasoning is not told apart from the output.

    https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
    """
    told = reply.behaviour
    return {
        "inputTokens": told.input_tokens - told.cache_read_tokens - told.cache_write_tokens,
        "outputTokens": told.output_tokens,
        "totalTokens": told.input_tokens + told.output_tokens,
        "cacheReadInputTokens": told.cache_read_tokens,
        "cacheWriteInputTokens": told.cache_write_tokens,
    }


def latency_milliseconds(reply: Reply) -> int:
    told = reply.behaviour
    return round(1000 * (told.first_token_seconds + told.token_seconds * max(told.output_tokens - 1, 0)))


def _blocks(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.reasoning:
        yield {"reasoningContent": {"reasoningText": {"text": "".join(reply.reasoning), "signature": reply.key}}}
    if reply.behaviour.tool_call:
        tools = (reply.request.get("toolConfig") or {}).get("tools") or []
        named = [tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool]
        arguments = json.loads("".join(reply.tool_arguments))
        name = named[0] if named else TOOL_NAME
        yield {"toolUse": {"toolUseId": f"tooluse_{reply.key}", "name": name, "input": arguments}}
    else:
        yield {"text": "".join(reply.text)}


def _parts(reply: Reply, block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """How a block is told: `start` or `delta`, which part of it, and whether that is a token."""
    if "reasoningContent" in block:
        for thought in reply.reasoning:
            yield "delta", {"reasoningContent": {"text": thought}}, True
        yield "delta", {"reasoningContent": {"signature": reply.key}}, False
    elif "toolUse" in block:
        yield "start", {"toolUse": {key: block["toolUse"][key] for key in ("toolUseId", "name")}}, True
        for piece in reply.tool_arguments:
            yield "delta", {"toolUse": {"input": piece}}, True
    else:
        for word in reply.text:
            yield "delta", {"text": word}, True


def _stop(reply: Reply) -> dict[str, Any]:
    told = reply.behaviour
    return {"stopReason": "content_filtered" if told.refusal else "tool_use" if told.tool_call else "end_turn"}


def _metadata(reply: Reply, counts: dict[str, int]) -> dict[str, Any]:
    metrics = {"metrics": {"latencyMs": latency_milliseconds(reply)}}
    return metrics if reply.behaviour.usage_missing else metrics | {"usage": counts}
