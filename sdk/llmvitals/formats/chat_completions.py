"""OpenAI's Chat Completions, which half the field speaks: https://platform.openai.com/docs/api-reference/chat"""

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
    UsageRequest,
    get,
    parameters,
)
from llmvitals._content import Content, Message, Part

_PARAMETERS = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "service_tier": (semconv.OPENAI_REQUEST_SERVICE_TIER, str),
    "max_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "max_completion_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "frequency_penalty": (semconv.REQUEST_FREQUENCY_PENALTY, float),
    "presence_penalty": (semconv.REQUEST_PRESENCE_PENALTY, float),
    "seed": (semconv.REQUEST_SEED, int),
    "stop": (semconv.REQUEST_STOP_SEQUENCES, list),
    "reasoning_effort": (semconv.REQUEST_REASONING_LEVEL, str),
}


def asked(body: Body) -> dict[str, Attribute]:
    attributes = parameters(body, _PARAMETERS)
    choices = body.get("n")
    if type(choices) is int and choices != 1:
        attributes[semconv.REQUEST_CHOICE_COUNT] = choices
    stop = body.get("stop")
    if isinstance(stop, str):
        attributes[semconv.REQUEST_STOP_SEQUENCES] = [stop]
    output_type = OUTPUT_TYPES.get(str(get(body.get("response_format"), "type")))
    if output_type:
        attributes[semconv.OUTPUT_TYPE] = output_type
    return attributes


def fold(answer: Answer, piece: Any) -> int:
    """Fold a `chat.completion` or a `chat.completion.chunk`."""
    if answer.id is None:
        answer.id = get(piece, "id")
        answer.model = get(piece, "model")
    brings = NOTHING
    for position, choice in enumerate(get(piece, "choices") or ()):
        index = get(choice, "index")
        index = position if index is None else index  # not every host says it
        reason = get(choice, "finish_reason")
        if reason is not None:
            answer.finish_reasons[index] = reason
        delta = get(choice, "delta")
        if delta is not None:
            brings = max(brings, _delta(answer, delta))
        said = answer.transcript and (delta or get(choice, "message"))
        if said:
            _transcribe(answer, said, index)
    usage = get(piece, "usage")
    if usage is not None:
        fold_usage(answer, usage)
        fold_service_tier(answer, piece)
    return brings


def _delta(answer: Answer, delta: Any) -> int:
    if get(delta, "content") or get(delta, "tool_calls") or get(delta, "refusal"):
        return ANSWER
    # Not OpenAI's own: DeepSeek and vLLM say reasoning_content, OpenRouter and Groq say reasoning.
    if get(delta, "reasoning_content") or get(delta, "reasoning"):
        answer.reasoning_seen = True
        return REASONING
    return NOTHING


def fold_usage(answer: Answer, usage: Any, asked: str = "prompt", said: str = "completion") -> None:
    """Take in a usage, whose two sides have other names in each of OpenAI's APIs."""
    tokens = answer.usage
    tokens.input = get(usage, f"{asked}_tokens")
    tokens.output = get(usage, f"{said}_tokens")
    details = get(usage, f"{asked}_tokens_details")
    tokens.cache_read = get(details, "cached_tokens")
    tokens.cache_write = get(details, "cache_write_tokens")
    tokens.reasoning = get(get(usage, f"{said}_tokens_details"), "reasoning_tokens")


def fold_service_tier(answer: Answer, node: Any) -> None:
    """Take in the service tier, where `node` tells it."""
    tier = get(node, "service_tier")
    if isinstance(tier, str):
        answer.attributes[semconv.OPENAI_RESPONSE_SERVICE_TIER] = tier


# ---- Content: looked at only where the app opts in ----------------------------------------------------


def content(body: Body) -> Content:
    """The messages and tools of a request."""
    tools = [
        {
            "type": "function",
            **{name: get(get(tool, "function"), name) for name in ("name", "description", "parameters")},
        }
        for tool in body.get("tools") or ()
        if get(tool, "type") == "function"
    ]
    return Content([_message(message) for message in body.get("messages") or ()], [], tools)


def _message(message: Any) -> Message:
    role, said = get(message, "role"), get(message, "content")
    if role == "tool":
        return {
            "role": role,
            "parts": [{"type": "tool_call_response", "id": get(message, "tool_call_id"), "response": said}],
        }
    parts: list[Part] = [{"type": "text", "content": said}] if isinstance(said, str) else [_part(p) for p in said or ()]
    for call in get(message, "tool_calls") or ():
        function = get(call, "function")
        parts.append(
            {
                "type": "tool_call",
                "id": get(call, "id"),
                "name": get(function, "name"),
                "arguments": get(function, "arguments"),
            }
        )
    return {"role": role, "parts": parts}


def _part(part: Any) -> Part:
    kind = get(part, "type")
    if kind == "text":
        return {"type": "text", "content": get(part, "text")}
    if kind == "image_url":
        url = str(get(get(part, "image_url"), "url"))
        # An image that is sent along is not repeated: what it holds is no text.
        return {"type": "uri", "modality": "image", "uri": url.partition(",")[0] if url.startswith("data:") else url}
    return {"type": str(kind)}


def _transcribe(answer: Answer, said: Any, choice: int) -> None:
    """Write down what a delta, or a whole message, says."""
    transcript = answer.transcript
    if transcript is None:
        return
    reasoning = get(said, "reasoning_content") or get(said, "reasoning")
    if reasoning:
        transcript.text(reasoning, choice, "reasoning")
    text = get(said, "content") or get(said, "refusal")
    if isinstance(text, str):
        transcript.text(text, choice)
    for position, call in enumerate(get(said, "tool_calls") or ()):
        index, function = get(call, "index"), get(call, "function")
        transcript.tool_call(
            position if index is None else index,
            get(call, "id"),
            get(function, "name"),
            get(function, "arguments") or "",
            choice,
        )


# ---- Usage of streams, which OpenAI tells on request only -----------------------------------------------


def _ask(body: Body) -> Body:
    options = body.get("stream_options")
    if get(options, "include_usage") is not None:
        return body
    return {**body, "stream_options": {**(options or {}), "include_usage": True}}


def _brings_only_usage(chunk: Any) -> bool:
    return not get(chunk, "choices") and get(chunk, "usage") is not None


USAGE_REQUEST = UsageRequest(_ask, _brings_only_usage)

OPERATION = Operation(semconv.CHAT, asked, fold, content=content)
"""For hosts that send a stream's usage unasked; OpenAI's own has USAGE_REQUEST besides."""
