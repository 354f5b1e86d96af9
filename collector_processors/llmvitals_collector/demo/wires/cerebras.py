"""Cerebras' Chat Completions on the wire: OpenAI's, and times (https://inference-docs.cerebras.ai/api-reference)."""

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
    return told(reply, chat.completion(reply, message))


def events(reply: Reply) -> Iterator[Event]:
    """The usage and the times are in the last chunk, unasked."""
    *others, last = chat.chunks(reply, _deltas(reply))
    for chunk in others:
        yield sse(signed(chunk.body), is_token=chunk.is_token)
    yield sse(told(reply, last.body))
    yield chat.DONE


def _deltas(reply: Reply) -> Iterator[chat.Delta]:
    """OpenAI's, but each piece of a tool call says that it is of a function."""
    for delta in chat.deltas(reply, REASONING):
        calls = [{"type": "function"} | call for call in delta.message.get("tool_calls", ())]
        yield delta._replace(message=delta.message | {"tool_calls": calls}) if calls else delta


# ---- What both of Cerebras' APIs tell ----------------------------------------------------------------


def signed(body: dict[str, Any]) -> dict[str, Any]:
    # cerebras-cloud-sdk 1.91 takes a chunk that lacks what its type requires for a whole answer.
    return body | {"system_fingerprint": "fp_loopback"}


def told(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    """A whole answer, or the last chunk of one, with its usage and the seconds that each part took."""
    behaviour = reply.behaviour
    prompt, completion = behaviour.first_token_seconds, max(behaviour.output_tokens - 1, 0) * behaviour.token_seconds
    times = {
        "queue_time": behaviour.headers_after_seconds,
        "prompt_time": prompt,
        "completion_time": completion,
        "total_time": behaviour.headers_after_seconds + prompt + completion,
        "created": reply.created,
    }
    return chat.counted(reply, signed(body) | {"time_info": times}, chat.usage(reply))
