"""Cohere's Chat, version 2: https://docs.cohere.com/v2/reference/chat"""

from typing import Any

from llmvitals import semconv
from llmvitals._adapter import (
    ANSWER,
    NOTHING,
    OUTPUT_TYPES,
    REASONING,
    Answer,
    Attribute,
    Body,
    Operation,
    get,
    parameters,
)
from llmvitals._content import Transcript
from llmvitals.formats import chat_completions

_PARAMETERS = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "p": (semconv.REQUEST_TOP_P, float),
    "k": (semconv.REQUEST_TOP_K, float),
    "max_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "stop_sequences": (semconv.REQUEST_STOP_SEQUENCES, list),
    "seed": (semconv.REQUEST_SEED, int),
    "frequency_penalty": (semconv.REQUEST_FREQUENCY_PENALTY, float),
    "presence_penalty": (semconv.REQUEST_PRESENCE_PENALTY, float),
    "conversation_id": (semconv.CONVERSATION_ID, str),  # of version 1
}

_FAILURES = ("ERROR", "ERROR_LIMIT", "TIMEOUT")
"""The finish reasons that tell of an answer that is none."""


def asked(body: Body) -> dict[str, Attribute]:
    """The parameters of a chat of either version."""
    attributes = parameters(body, _PARAMETERS)
    output_type = OUTPUT_TYPES.get(str(get(body.get("response_format"), "type")))
    if output_type:
        attributes[semconv.OUTPUT_TYPE] = output_type
    return attributes


def fold(answer: Answer, piece: Any) -> int:
    """Fold a chat's answer, or one event of its stream: https://docs.cohere.com/v2/docs/streaming"""
    event = get(piece, "type")
    if event is None:
        answer.id = get(piece, "id")
        fold_end(answer, piece, get(piece, "usage"))
        if answer.transcript is not None:
            _transcribe(answer.transcript, 0, get(piece, "message"))
    elif event == "message-start":
        answer.id = get(piece, "id")
    elif event == "message-end":
        delta = get(piece, "delta")
        fold_end(answer, delta, get(delta, "usage"))
    else:
        return _delta(answer, event, piece)
    return NOTHING


def _delta(answer: Answer, event: str, piece: Any) -> int:
    message = get(get(piece, "delta"), "message")
    if answer.transcript is not None and event != "content-start":
        _transcribe(answer.transcript, get(piece, "index"), message)
    if event == "content-delta":
        if get(get(message, "content"), "thinking") is None:
            return ANSWER
    elif event != "tool-plan-delta":
        return ANSWER if event in ("tool-call-start", "tool-call-delta") else NOTHING
    answer.reasoning_seen = True
    return REASONING


def fold_end(answer: Answer, end: Any, usage: Any) -> None:
    """Take in why an answer ended, and its usage; of either version.

    Cohere tells the tokens that it bills beside those of the model, and the conventions want the billed ones.
    """
    reason = get(end, "finish_reason")
    if reason is not None:
        answer.finish_reasons = {0: reason}
        if reason in _FAILURES:
            answer.error = reason
    billed, counted, tokens = get(usage, "billed_units"), get(usage, "tokens"), answer.usage
    tokens.input = _count(get(billed, "input_tokens"), get(counted, "input_tokens"))
    tokens.output = _count(get(billed, "output_tokens"), get(counted, "output_tokens"))
    tokens.cache_read = _count(get(usage, "cached_tokens"))


def _count(*told: float | None) -> int | None:
    """The first of the counts that is told; the client makes floats of them."""
    return next((int(count) for count in told if count is not None), None)


def _transcribe(transcript: Transcript, index: Any, message: Any) -> None:
    """Write down a whole message, or what an event tells of it: one item then, where a message has a list."""
    plan = get(message, "tool_plan")
    if plan:
        transcript.text(plan, kind="reasoning")
    content, calls = get(message, "content"), get(message, "tool_calls")
    for item in content if isinstance(content, list) else (content,):
        if get(item, "thinking"):
            transcript.text(get(item, "thinking"), kind="reasoning")
        elif get(item, "text"):
            transcript.text(get(item, "text"))
    for position, call in enumerate(calls if isinstance(calls, list) else (calls,) if calls else ()):
        function = get(call, "function")
        transcript.tool_call(
            (index or 0) + position,
            get(call, "id"),
            get(function, "name"),
            get(function, "arguments") or "",
        )


OPERATION = Operation(semconv.CHAT, asked, fold, content=chat_completions.content)
