"""Hugging Face's feature extraction, its embeddings, on the wire.

https://huggingface.co/docs/inference-providers/tasks/feature-extraction
"""

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires.embeddings import vectors
from llmvitals_collector.demo.wires.huggingface_text import error as error


def whole(reply: Reply) -> list[list[float]]:
    """Nothing but the vectors: this API tells no usage."""
    return vectors(reply.request.get("inputs"), reply.request.get("dimensions"))
