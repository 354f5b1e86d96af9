"""Ollama's embeddings on the wire (https://docs.ollama.com/api/embed)."""

from typing import Any

from llmvitals_collector.demo.wire import Reply
from llmvitals_collector.demo.wires.embeddings import vectors
from llmvitals_collector.demo.wires.ollama_chat import ending
from llmvitals_collector.demo.wires.ollama_chat import error as error

SHARED = ("total_duration", "load_duration", "prompt_eval_count")


def whole(reply: Reply) -> dict[str, Any]:
    told = {key: value for key, value in ending(reply).items() if key in SHARED}
    embeddings = vectors(reply.request.get("input"), reply.request.get("dimensions"))
    return {"model": reply.model, "embeddings": embeddings, **told}
