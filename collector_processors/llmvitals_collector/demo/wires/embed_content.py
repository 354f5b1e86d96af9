"""Google's embeddings on the wire, of the Gemini API and of Vertex AI (https://ai.google.dev/api/embeddings)."""

from typing import Any

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires.generate_content import error as error  # Google's APIs share their error bodies

DIMENSIONS = 3072


def whole(reply: Reply) -> dict[str, Any]:
    """One vector of unit length to each content, as predict, batchEmbedContents or embedContent has it."""
    request = reply.request
    tokens = None if reply.behaviour.usage_missing else reply.behaviour.input_tokens
    if "instances" in request:
        count = len(request["instances"])
        # Counted for each content, and all told with the first.
        counts = [{} if tokens is None else {"token_count": tokens if index == 0 else 0} for index in range(count)]
        vector = _vector(request.get("parameters") or {})
        return {"predictions": [{"embeddings": vector | {"statistics": each}} for each in counts]}
    usage = {} if tokens is None else {"usageMetadata": {"promptTokenCount": tokens}}
    if "requests" in request:
        return {"embeddings": [_vector(each) for each in request["requests"]], **usage}
    return {"embedding": _vector(request.get("embedContentConfig") or request), **usage}


def _vector(options: dict[str, Any]) -> dict[str, Any]:
    dimensions = options.get("outputDimensionality") or DIMENSIONS
    return {"values": [dimensions**-0.5] * dimensions}
