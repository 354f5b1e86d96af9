"""Google's generateContent, whole and streamed: https://ai.google.dev/api/generate-content"""

import inspect
import json
from typing import Any

from llmvitals import semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Attribute, Body, get, parameters
from llmvitals._content import (
    Content,
    Message,
    Part,
    Transcript,
    media,
    reasoning,
    text,
    tool,
    tool_call,
    tool_response,
)

_CONFIG = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "max_output_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "frequency_penalty": (semconv.REQUEST_FREQUENCY_PENALTY, float),
    "presence_penalty": (semconv.REQUEST_PRESENCE_PENALTY, float),
    "seed": (semconv.REQUEST_SEED, int),
    "stop_sequences": (semconv.REQUEST_STOP_SEQUENCES, list),
}
_OUTPUT_TYPES = {"application/json": "json", "text/plain": "text", "text/x.enum": "text"}


def asked(body: Body) -> dict[str, Attribute]:
    config = fields(body.get("config"))
    attributes = parameters(config, _CONFIG)
    choices = config.get("candidate_count")
    if type(choices) is int and choices != 1:
        attributes[semconv.REQUEST_CHOICE_COUNT] = choices
    level = get(config.get("thinking_config"), "thinking_level")
    if level is not None:
        attributes[semconv.REQUEST_REASONING_LEVEL] = _said(level)
    output_type = _OUTPUT_TYPES.get(str(config.get("response_mime_type")))
    if output_type:
        attributes[semconv.OUTPUT_TYPE] = output_type
    return attributes


def fields(config: Any) -> dict[str, Any]:
    """A configuration's fields, of the client's model or of a dict."""
    return config if isinstance(config, dict) else vars(config) if config is not None else {}


def _said(value: Any) -> str:
    """An enum's value as it is on the wire."""
    return str(getattr(value, "value", value))


def fold(answer: Answer, piece: Any) -> int:
    """Fold a response, or a chunk of its stream: the two are of one form."""
    candidates = get(piece, "candidates")
    if not candidates:
        return _without_candidates(answer, piece)
    brings = NOTHING
    for position, candidate in enumerate(candidates):
        index = get(candidate, "index")
        index = position if index is None else index
        for part in get(get(candidate, "content"), "parts") or ():
            brings = max(brings, _part_brings(answer, part))
            if answer.transcript is not None:
                _transcribe(answer.transcript, part, index)
        reason = get(candidate, "finish_reason")
        if reason is not None:
            answer.finish_reasons[index] = _said(reason)
    _who_and_usage(answer, piece)
    return brings


def _without_candidates(answer: Answer, piece: Any) -> int:
    body = get(get(piece, "sdk_http_response"), "body")
    if body:  # `should_return_http_response`: the app gets the answer as it is on the wire
        return fold(answer, type(piece).model_validate_json(body))
    blocked = get(get(piece, "prompt_feedback"), "block_reason")
    if blocked is not None:
        answer.finish_reasons[0] = _said(blocked)
    _who_and_usage(answer, piece)
    return NOTHING


def _part_brings(answer: Answer, part: Any) -> int:
    said = get(part, "text")
    if said == "":  # which may come with a signature
        return NOTHING
    if get(part, "thought"):
        answer.reasoning_seen = True
        return REASONING
    return ANSWER  # text, or a function call, an image, a piece of code


def _who_and_usage(answer: Answer, piece: Any) -> None:
    if answer.id is None:
        answer.id = get(piece, "response_id")
        answer.model = get(piece, "model_version")
    usage = get(piece, "usage_metadata")
    if usage is not None:
        _usage(answer, usage)


def _usage(answer: Answer, usage: Any) -> None:
    """Take in a usage; those of a stream are cumulative. Thoughts are counted apart from the candidates' tokens."""
    tokens = answer.usage
    tokens.input = _sum(get(usage, "prompt_token_count"), get(usage, "tool_use_prompt_token_count"))
    tokens.reasoning = get(usage, "thoughts_token_count")
    tokens.output = _sum(get(usage, "candidates_token_count"), tokens.reasoning)
    tokens.cache_read = get(usage, "cached_content_token_count")


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


# ---- Content: looked at only where the app opts in ---------------------------------------------------------


def content(body: Body) -> Content:
    """The contents, system instructions and tools of a request."""
    config = fields(body.get("config"))
    system = [part for message in _messages(config.get("system_instruction")) for part in message["parts"]]
    tools = [declared for given in config.get("tools") or () for declared in _declared(given)]
    return Content(_messages(body.get("contents")), system, tools)


def _messages(contents: Any) -> list[Message]:
    """One message of each content; parts that are given without one are the user's."""
    messages: list[Message] = []
    loose: list[Part] | None = None
    for each in contents if isinstance(contents, list) else [] if contents is None else [contents]:
        parts = each if isinstance(each, list) else get(each, "parts")
        if parts is not None:
            role = get(each, "role") or "user"
            messages.append({"role": "assistant" if role == "model" else role, "parts": [_part(p) for p in parts]})
            loose = None
        else:
            if loose is None:
                loose = []
                messages.append({"role": "user", "parts": loose})
            loose.append(_part(each))
    return messages


def _part(part: Any) -> Part:
    said = part if isinstance(part, str) else get(part, "text")
    if isinstance(said, str):
        return reasoning(said) if get(part, "thought") else text(said)
    called, answered = get(part, "function_call"), get(part, "function_response")
    if called is not None:
        return tool_call(get(called, "id"), get(called, "name"), get(called, "args"))
    if answered is not None:
        return tool_response(get(answered, "id"), get(answered, "response"))
    return _media(part) or {"type": type(part).__name__}


def _media(part: Any) -> Part | None:
    """What is sent along: data, or where it is."""
    sent = get(part, "inline_data") or get(part, "file_data")
    if sent is None:
        return None
    mime_type = str(get(sent, "mime_type"))
    kind = mime_type.partition("/")[0]
    modality = kind if kind in ("image", "video", "audio") else "document"
    return media(modality, url=get(sent, "file_uri"), mime_type=mime_type)


def _declared(given: Any) -> list[Part]:
    """The functions of a tool, which may be one of Python's."""
    if callable(given):
        return [tool(given.__name__, inspect.getdoc(given))]
    return [
        tool(get(function, "name"), get(function, "description"), _schema(function))
        for function in get(given, "function_declarations") or ()
    ]


def _schema(function: Any) -> Any:
    parameters = get(function, "parameters_json_schema") or get(function, "parameters")
    dump = getattr(parameters, "model_dump", None)
    return dump(mode="json", exclude_none=True) if dump else parameters


def _transcribe(transcript: Transcript, part: Any, choice: int) -> None:
    said, called = get(part, "text"), get(part, "function_call")
    if said:
        transcript.text(said, choice, "reasoning" if get(part, "thought") else "text")
    elif called is not None:  # whole, and often without an id
        arguments = json.dumps(get(called, "args") or {}, default=str)
        transcript.tool_call(object(), get(called, "id"), get(called, "name"), arguments, choice)
    elif sent := _media(part):
        transcript.part(sent, choice)
