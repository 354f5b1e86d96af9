"""OpenAI's legacy Completions on the wire (https://platform.openai.com/docs/api-reference/completions)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, Event, Reply, sse
from llmvitals_collector.demo.wires import chat
from llmvitals_collector.demo.wires.chat import broken as broken  # OpenAI's APIs share how they fail
from llmvitals_collector.demo.wires.chat import error as error

MEDIA_TYPE = EVENT_STREAM


def whole(reply: Reply) -> dict[str, Any]:
    choices = [_choice("".join(reply.text), index, "stop") for index in reply.choices]
    return chat.counted(reply, _head(reply) | {"choices": choices}, chat.usage(reply))


def events(reply: Reply) -> Iterator[Event]:
    asked = chat.usage_asked(reply)
    head = _head(reply) | ({"usage": None} if asked else {})
    for word in reply.text:
        for index in reply.choices:
            yield sse(head | {"choices": [_choice(word, index)]}, is_token=index == 0)
    for index in reply.choices:
        yield sse(head | {"choices": [_choice("", index, "stop")]})
    if asked:
        yield sse(head | {"choices": [], "usage": chat.usage(reply)})
    yield chat.DONE


def _head(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"cmpl-{reply.key}",
        "object": "text_completion",
        "created": reply.created,
        "model": reply.model,
    }


def _choice(text: str, index: int, finish_reason: str | None = None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish_reason}
