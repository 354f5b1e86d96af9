"""OpenAI's Embeddings on the wire (https://platform.openai.com/docs/api-reference/embeddings)."""

import base64
import struct
from typing import Any

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires import chat
from llmvitals_collector.demo.wires.chat import error as error  # OpenAI's APIs share their error bodies

DIMENSIONS = 1536


def whole(reply: Reply) -> dict[str, Any]:
    return answer(reply, reply.request.get("dimensions"))


def answer(reply: Reply, dimensions: int | None) -> dict[str, Any]:
    """The vectors are numbers, or base64 of little-endian 32-bit floats."""
    told: list[list[float]] | list[str] = vectors(reply.request.get("input"), dimensions)
    if reply.request.get("encoding_format") == "base64":
        told = [base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() for vector in told]
    body = {
        "object": "list",
        "model": reply.model,
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(told)],
    }
    tokens = reply.behaviour.input_tokens
    return chat.counted(reply, body, {"prompt_tokens": tokens, "total_tokens": tokens})


def vectors(inputs: Any, dimensions: int | None) -> list[list[float]]:
    """One vector of unit length to each input. A string or a list of token numbers is one; a list of either, many."""
    many = isinstance(inputs, list) and inputs and isinstance(inputs[0], str | list)
    dimensions = dimensions or DIMENSIONS
    return [[dimensions**-0.5] * dimensions] * (len(inputs) if many else 1)
