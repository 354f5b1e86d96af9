"""OpenAI's Embeddings on the wire (https://platform.openai.com/docs/api-reference/embeddings)."""

import base64
import struct
from typing import Any

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wire_chat import error as error  # OpenAI's APIs share their error bodies

DIMENSIONS = 1536


def whole(reply: Reply) -> dict[str, Any]:
    """One vector of unit length to each input, as numbers or as base64 of little-endian 32-bit floats."""
    inputs = reply.request.get("input")
    # A string or a list of token numbers is one input; a list of either is many.
    many = isinstance(inputs, list) and inputs and isinstance(inputs[0], str | list)
    dimensions = reply.request.get("dimensions") or DIMENSIONS
    vector: list[float] | str = [dimensions**-0.5] * dimensions
    if reply.request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode()
    count = len(inputs) if isinstance(inputs, list) and many else 1
    tokens = reply.behaviour.input_tokens
    answer = {
        "object": "list",
        "model": reply.model,
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)],
    }
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return answer if reply.behaviour.usage_missing else answer | {"usage": usage}
