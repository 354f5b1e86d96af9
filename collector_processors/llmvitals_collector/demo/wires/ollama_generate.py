"""Ollama's text generation on the wire (https://docs.ollama.com/api/generate)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import JSON_LINES, Event, Reply, json_line
from llmvitals_collector.demo.wires.ollama_chat import broken as broken  # Ollama's APIs share how they fail
from llmvitals_collector.demo.wires.ollama_chat import ending, head
from llmvitals_collector.demo.wires.ollama_chat import error as error

MEDIA_TYPE = JSON_LINES


def whole(reply: Reply) -> dict[str, Any]:
    thinking = {"thinking": "".join(reply.reasoning)} if reply.reasoning else {}
    return head(reply) | {"response": "".join(reply.text), **thinking} | ending(reply)


def events(reply: Reply) -> Iterator[Event]:
    for thought in reply.reasoning:
        yield json_line(head(reply) | {"response": "", "thinking": thought}, is_token=True)
    for word in reply.text:
        yield json_line(head(reply) | {"response": word}, is_token=True)
    yield json_line(head(reply) | {"response": ""} | ending(reply))
