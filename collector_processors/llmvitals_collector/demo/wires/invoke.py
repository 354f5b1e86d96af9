"""Bedrock's InvokeModel on the wire, with the bodies of Anthropic's models and of Amazon's Nova and Titan embeddings.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo import eventstream
from llmvitals_collector.demo.wire import Event, Reply
from llmvitals_collector.demo.wires import converse, messages
from llmvitals_collector.demo.wires.converse import broken as broken  # Bedrock's APIs share their errors
from llmvitals_collector.demo.wires.converse import error as error

MEDIA_TYPE = eventstream.MEDIA_TYPE

TITAN_DIMENSIONS = 1024


def whole(reply: Reply) -> dict[str, Any]:
    if "anthropic" in reply.model:
        return messages.whole(reply)
    if "titan-embed" in reply.model:
        return _titan_embedding(reply)
    answer = converse.said(reply)
    return answer if reply.behaviour.usage_missing else answer | {"usage": _nova_usage(reply)}


def events(reply: Reply) -> Iterator[Event]:
    """The model's own events, each in a chunk; the last has Bedrock's own counts, too."""
    bodies = list(_anthropic_bodies(reply) if "anthropic" in reply.model else _nova_bodies(reply))
    if not reply.behaviour.usage_missing:
        bodies[-1][0]["amazon-bedrock-invocationMetrics"] = _metrics(reply)
    for body, is_token in bodies:
        encoded = base64.b64encode(json.dumps(body).encode()).decode()
        yield eventstream.event("chunk", {"bytes": encoded}, is_token=is_token)


def headers(reply: Reply) -> dict[str, str]:
    """Those of an answer sent whole: the counts are also here, for those models whose body does not have them."""
    told = converse.headers(reply)
    if reply.behaviour.status != 200 or reply.behaviour.usage_missing:
        return told
    metrics = _metrics(reply)
    return told | {
        "x-amzn-bedrock-input-token-count": str(metrics["inputTokenCount"]),
        "x-amzn-bedrock-output-token-count": str(metrics["outputTokenCount"]),
        "x-amzn-bedrock-cache-read-input-token-count": str(metrics["cacheReadInputTokenCount"]),
        "x-amzn-bedrock-cache-write-input-token-count": str(metrics["cacheWriteInputTokenCount"]),
    }


def stream_headers(reply: Reply) -> dict[str, str]:
    """Those of a stream: also what its chunks hold."""
    return converse.headers(reply) | {"x-amzn-bedrock-content-type": "application/json"}


def _anthropic_bodies(reply: Reply) -> Iterator[tuple[dict[str, Any], bool]]:
    for step in messages.steps(reply):
        if step.name != "ping":  # Bedrock has none
            yield {"type": step.name, **step.fields}, step.is_token


def _nova_bodies(reply: Reply) -> Iterator[tuple[dict[str, Any], bool]]:
    """Those of Converse, each under its name."""
    for step in converse.steps(reply, _nova_usage(reply)):
        yield {step.name: step.fields}, step.is_token


def _nova_usage(reply: Reply) -> dict[str, int]:
    """That of Converse, but for the names of the cache's counts."""
    return {name.replace("InputTokens", "InputTokenCount"): count for name, count in converse.usage(reply).items()}


def _titan_embedding(reply: Reply) -> dict[str, Any]:
    dimensions = reply.request.get("dimensions") or TITAN_DIMENSIONS
    answer = {"embedding": [dimensions**-0.5] * dimensions}
    return answer if reply.behaviour.usage_missing else answer | {"inputTextTokenCount": reply.behaviour.input_tokens}


def _metrics(reply: Reply) -> dict[str, int]:
    counts = converse.usage(reply)
    return {
        "inputTokenCount": counts["inputTokens"],
        "outputTokenCount": counts["outputTokens"],
        "cacheReadInputTokenCount": counts["cacheReadInputTokens"],
        "cacheWriteInputTokenCount": counts["cacheWriteInputTokens"],
        "invocationLatency": converse.latency_milliseconds(reply),
        "firstByteLatency": round(1000 * reply.behaviour.first_token_seconds),
    }
