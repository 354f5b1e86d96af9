"""Hugging Face's text generation on the wire (https://huggingface.github.io/text-generation-inference)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, FAILURE, Event, Reply, sse

MEDIA_TYPE = EVENT_STREAM
# https://huggingface.co/docs/text-generation-inference/reference/api_reference
ERROR_TYPES = {422: "validation", 424: "generation", 429: "overloaded", 500: "incomplete_generation"}


def whole(reply: Reply) -> list[dict[str, Any]]:
    answer: dict[str, Any] = {"generated_text": "".join(_said(reply))}
    if _detailed(reply):
        tokens = [_token(index, text) for index, text in enumerate(_said(reply))]
        answer["details"] = _finish(reply) | {"prefill": _prefill(reply), "tokens": tokens, "seed": None}
    return [answer]


def events(reply: Reply) -> Iterator[Event]:
    """One token to each event; the last one has the whole text, too, and the details if they are asked for."""
    said = _said(reply)
    for index, text in enumerate(said):
        event = {"index": index + 1, "token": _token(index, text), "generated_text": None, "details": None}
        if index == len(said) - 1:
            event["generated_text"] = "".join(said)
            if _detailed(reply):
                event["details"] = _finish(reply) | {"input_length": reply.behaviour.input_tokens, "seed": None}
        yield sse(event, is_token=True)


def broken(reply: Reply, _sent: int) -> Iterator[Event]:
    yield sse(error(reply.behaviour.error_status or 424, FAILURE))


def error(status: int, message: str) -> dict[str, Any]:
    kind = ERROR_TYPES.get(status)
    return {"error": message, "error_type": kind} if kind else {"error": message}


def _said(reply: Reply) -> list[str]:
    """All that the model says: it does not know of reasoning, only of tokens."""
    return reply.reasoning + reply.text


def _parameters(reply: Reply) -> dict[str, Any]:
    return reply.request.get("parameters") or {}


def _detailed(reply: Reply) -> bool:
    return bool(_parameters(reply).get("details")) and not reply.behaviour.usage_missing


def _finish(reply: Reply) -> dict[str, Any]:
    return {"finish_reason": "eos_token", "generated_tokens": reply.behaviour.output_tokens}


def _prefill(reply: Reply) -> list[dict[str, Any]]:
    """The tokens of the prompt, if they are asked for: the one place where an answer sent whole counts them."""
    asked = _parameters(reply).get("decoder_input_details")
    tokens = range(reply.behaviour.input_tokens if asked else 0)
    return [{"id": index, "text": "", "logprob": None} for index in tokens]


def _token(index: int, text: str) -> dict[str, Any]:
    return {"id": index, "text": text, "logprob": 0.0, "special": False}
