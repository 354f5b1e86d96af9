"""Cohere's Embed on the wire, both versions (https://docs.cohere.com/v2/reference/embed)."""

from typing import Any

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires.cohere_chat_v2 import error as error  # Cohere's APIs share their error bodies

DIMENSIONS = 1536


def whole(reply: Reply) -> dict[str, Any]:
    """One vector of unit length to each input; of the types of numbers that can be asked for, floats."""
    request = reply.request
    count = sum(len(request.get(key) or []) for key in ("texts", "images", "inputs"))
    dimensions = request.get("output_dimension") or DIMENSIONS
    vectors = [[dimensions**-0.5] * dimensions] * count
    # Version 1 has them in a plain list unless types are asked for; version 2 always asks.
    typed = bool(request.get("embedding_types"))
    answer = {
        "id": reply.key,
        "response_type": "embeddings_by_type" if typed else "embeddings_floats",
        "texts": request.get("texts") or [],
        "embeddings": {"float": vectors} if typed else vectors,
    }
    billed = {"billed_units": {"input_tokens": reply.behaviour.input_tokens}}
    return answer if reply.behaviour.usage_missing else answer | {"meta": billed}
