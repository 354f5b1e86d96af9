"""Groq's Chat Completions on the wire: OpenAI's, and its own `x_groq` (https://console.groq.com/docs/api-reference)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, Event, Reply, sse
from llmvitals_collector.demo.wires import chat
from llmvitals_collector.demo.wires.chat import broken as broken
from llmvitals_collector.demo.wires.chat import error as error

MEDIA_TYPE = EVENT_STREAM
REASONING = "reasoning"


def whole(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": None} | chat.spoken(reply, REASONING)
    return chat.counted(reply, chat.completion(reply, message) | {"x_groq": _request(reply)}, _usage(reply))


def events(reply: Reply) -> Iterator[Event]:
    """The usage is in the last chunk of the choices, and in one of its own if that is asked for."""
    first, *others, last = chat.chunks(reply, chat.deltas(reply, REASONING))
    yield sse(first.body | {"x_groq": _request(reply)})
    for chunk in others:
        yield sse(chunk.body, is_token=chunk.is_token)
    yield sse(last.body | {"x_groq": chat.counted(reply, _request(reply), _usage(reply))})
    if chat.usage_asked(reply):
        yield sse(chat.head(reply, "chat.completion.chunk") | {"choices": [], "usage": _usage(reply)})
    yield chat.DONE


def _request(reply: Reply) -> dict[str, Any]:
    return {"id": f"req_{reply.key}"}


def _usage(reply: Reply) -> dict[str, Any]:
    """OpenAI's, with the times in seconds that each part took."""
    told = reply.behaviour
    prompt, completion = told.first_token_seconds, max(told.output_tokens - 1, 0) * told.token_seconds
    times = {"prompt_time": prompt, "completion_time": completion, "total_time": prompt + completion}
    return chat.usage(reply) | {"queue_time": told.headers_after_seconds} | times
