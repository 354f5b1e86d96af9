"""Cerebras' legacy Completions on the wire: OpenAI's, and times (https://inference-docs.cerebras.ai/api-reference)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, Event, Reply, sse
from llmvitals_collector.demo.wires import cerebras, chat, completions
from llmvitals_collector.demo.wires.chat import broken as broken
from llmvitals_collector.demo.wires.chat import error as error

MEDIA_TYPE = EVENT_STREAM


def whole(reply: Reply) -> dict[str, Any]:
    return cerebras.told(reply, completions.whole(reply))


def events(reply: Reply) -> Iterator[Event]:
    """The chunks are of the form of a whole answer; the usage and the times are in the last one, unasked."""
    last = whole(reply)
    chunk = {name: value for name, value in last.items() if name not in ("usage", "time_info")}
    for word in reply.text:
        for choice in last["choices"]:
            piece = choice | {"text": word, "finish_reason": None}
            yield sse(chunk | {"choices": [piece]}, is_token=choice["index"] == 0)
    yield sse(last | {"choices": [choice | {"text": ""} for choice in last["choices"]]})
    yield chat.DONE
