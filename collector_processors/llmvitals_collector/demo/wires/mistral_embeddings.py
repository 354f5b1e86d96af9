"""Mistral's embeddings on the wire (https://docs.mistral.ai/api)."""

from typing import Any

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires import embeddings
from llmvitals_collector.demo.wires.mistral import error as error


def whole(reply: Reply) -> dict[str, Any]:
    """OpenAI's, with the `id` and the usage that the client cannot do without, so it may be empty."""
    answer = embeddings.answer(reply, reply.request.get("output_dimension"))
    return {"id": f"embd-{reply.key}", "usage": {}} | answer
