"""OpenAI's Chat Completions, which half the field speaks: https://platform.openai.com/docs/api-reference/chat"""

from typing import Any

from llmvitals import _content, semconv
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
from llmvitals._content import Content, Message, Part, Transcript

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
        reason = get(choice, "finish_reason")
        if reason is not None:
            answer.finish_reasons[_index(choice, position)] = reason
        delta = get(choice, "delta")
        if delta is not None:
            brings = ANSWER if get(delta, "content") else _delta(answer, delta) or brings
        if answer.transcript is not None:
            whole = delta is None
            _transcribe(answer.transcript, get(choice, "message") if whole else delta, _index(choice, position), whole)
    usage = get(piece, "usage")
    if usage is not None:
        fold_usage(answer, usage)
        fold_service_tier(answer, piece)
    return brings


def _index(choice: Any, position: int) -> int:
    index = get(choice, "index")
    return position if index is None else int(index)  # not every host says it


def _delta(answer: Answer, delta: Any) -> int:
    """What a delta without text brings."""
    if get(delta, "tool_calls") or get(delta, "refusal"):
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
    return Content(
        [_message(message) for message in body.get("messages") or ()],
        [],
        [_tool(tool) for tool in body.get("tools") or ()],
    )


def _tool(tool: Any) -> Part:
    kind = str(get(tool, "type") or "function")
    told = get(tool, kind)
    return _content.tool(get(told, "name") or kind, get(told, "description"), get(told, "parameters"), kind)


_ROLES = {"developer": "system", "function": "tool"}


def _message(message: Any) -> Message:
    told = str(get(message, "role"))
    role, said = _ROLES.get(told, told), get(message, "content")
    if role == "tool":
        response = _texts(said) if isinstance(said, list) else said
        return {"role": role, "parts": [_content.tool_response(get(message, "tool_call_id"), response)]}
    reasoning = _reasoning(message)
    parts = [_content.reasoning(reasoning)] if reasoning else []
    parts += _parts(said)
    refusal = get(message, "refusal")
    if refusal:
        parts.append(_content.text(refusal))
    for call in get(message, "tool_calls") or ():
        parts.append(_content.tool_call(get(call, "id"), *_called(call)))
    return {"role": role, "parts": parts}


def _called(call: Any) -> tuple[Any, Any]:
    """Name and arguments of a tool call; those of a custom tool are text."""
    function = get(call, "function") or get(call, "custom")
    arguments = get(function, "arguments")
    return get(function, "name"), get(function, "input") if arguments is None else arguments


def _reasoning(said: Any) -> Any:
    return get(said, "reasoning_content") or get(said, "reasoning")


def _parts(said: Any) -> list[Part]:
    if isinstance(said, str):
        return [_content.text(said)] if said else []
    return [_part(part) for part in said or ()]


def _texts(parts: list[Any]) -> Any:
    """The text that a list of text parts is; the parts as they are where there are others."""
    texts = [get(part, "text") for part in parts]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else [_part(part) for part in parts]


def _part(part: Any) -> Part:
    kind = str(get(part, "type"))
    if kind in ("text", "refusal"):
        return _content.text(get(part, kind))
    inner = get(part, kind)
    if kind in ("image_url", "video_url"):
        return _content.media(kind.removesuffix("_url"), url=get(inner, "url") or inner)
    if kind == "input_audio":
        return _content.media("audio", mime_type=f"audio/{get(inner, 'format')}")
    if kind == "file":
        return _content.media("document", url=get(inner, "file_data"), file_id=get(inner, "file_id"))
    return {"type": kind}


def _transcribe(transcript: Transcript, said: Any, choice: int, whole: bool) -> None:
    """Write down what a whole message, or a delta, says."""
    text = get(said, "content")
    if whole or not text:  # not for every delta: pydantic 2 takes a microsecond for what a model does not have
        transcript.text(_reasoning(said), choice, "reasoning")
        text = text or get(said, "refusal")
    if text:
        transcript.text(text, choice)
    calls = get(said, "tool_calls")
    for position, call in enumerate(calls) if calls else ():
        index = get(call, "index")
        name, arguments = _called(call)
        transcript.tool_call(position if index is None else index, get(call, "id"), name, arguments or "", choice)


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
