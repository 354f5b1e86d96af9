"""Hugging Face's chat on the wire (https://huggingface.co/docs/inference-providers/tasks/chat-completion)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, Event, Reply, sse
from llmvitals_collector.demo.wires import chat
from llmvitals_collector.demo.wires.huggingface_text import broken as broken  # its APIs share how they fail
from llmvitals_collector.demo.wires.huggingface_text import error as error

MEDIA_TYPE = EVENT_STREAM
REASONING = "reasoning"
# The version of Text Generation Inference, which most of the models are served by.
SERVER = {"system_fingerprint": "3.3.5-native"}


def whole(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": None} | chat.spoken(reply, REASONING)
    return chat.counted(reply, chat.completion(reply, message) | SERVER, chat.usage(reply))


def events(reply: Reply) -> Iterator[Event]:
    for chunk in chat.chunks(reply, chat.deltas(reply, REASONING)):
        yield sse(chunk.body | SERVER, is_token=chunk.is_token)
    if chat.usage_asked(reply):
        yield sse(chat.head(reply, "chat.completion.chunk") | SERVER | {"choices": [], "usage": chat.usage(reply)})
    yield chat.DONE
