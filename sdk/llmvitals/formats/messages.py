"""Anthropic's Messages, which Bedrock and Vertex pass on: https://docs.anthropic.com/en/api/messages"""

import json
from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import (
    ANSWER,
    NOTHING,
    REASONING,
    Answer,
    Attribute,
    Body,
    Operation,
    get,
    parameters,
)
from llmvitals._content import Content, Message, Part, Transcript

_MESSAGES = {
    "max_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "stop_sequences": (semconv.REQUEST_STOP_SEQUENCES, list),
}


def asked(body: Body) -> dict[str, Attribute]:
    attributes = parameters(body, _MESSAGES)
    effort = get(body.get("output_config"), "effort")
    if isinstance(effort, str):
        attributes[semconv.REQUEST_REASONING_LEVEL] = effort
    return attributes


def fold(answer: Answer, piece: Any) -> int:
    """Fold a message, or one event of its stream: https://docs.anthropic.com/en/api/messages-streaming"""
    kind = get(piece, "type")
    if kind == "content_block_delta":
        if answer.transcript is not None:
            _transcribe_delta(answer.transcript, piece)
        said = get(get(piece, "delta"), "type")
        if said == "text_delta" or said == "input_json_delta":
            return ANSWER
        if said == "thinking_delta":
            answer.reasoning_seen = True
            return REASONING
        return NOTHING  # signatures and citations are no tokens
    if kind == "message_delta":
        _stopped(answer, get(piece, "delta"))
        _usage(answer, get(piece, "usage"))
    elif kind == "message":
        _message(answer, piece)
        if answer.transcript is not None:
            for index, block in enumerate(get(piece, "content") or ()):
                _transcribe(answer.transcript, index, block)
    elif kind == "content_block_start" and answer.transcript is not None:
        _transcribe(answer.transcript, get(piece, "index"), get(piece, "content_block"))
    elif kind == "message_start":
        _message(answer, get(piece, "message"))
        answer.usage.output = None  # a placeholder: the count comes with message_delta, if the app waits for it
    return NOTHING


def _message(answer: Answer, message: Any) -> None:
    answer.id = get(message, "id")
    answer.model = get(message, "model")
    _stopped(answer, message)
    _usage(answer, get(message, "usage"))


def _stopped(answer: Answer, node: Any) -> None:
    reason = get(node, "stop_reason")
    if reason is not None:
        answer.finish_reasons = {0: reason}


def _usage(answer: Answer, usage: Any) -> None:
    """Take in a usage; those of a stream are cumulative, and leave out what has not changed.

    Anthropic counts cached tokens apart from `input_tokens`, the conventions count them in.
    """
    if usage is None:
        return
    tokens = answer.usage
    read, write = get(usage, "cache_read_input_tokens"), get(usage, "cache_creation_input_tokens")
    uncached = get(usage, "input_tokens")
    if uncached is not None:
        tokens.input = uncached + (read or 0) + (write or 0)
        tokens.cache_read, tokens.cache_write = read, write
    output = get(usage, "output_tokens")
    if output is not None:
        tokens.output = output
    reasoning = get(get(usage, "output_tokens_details"), "thinking_tokens")
    if reasoning is not None:
        tokens.reasoning = reasoning


# ---- Content: looked at only where the app opts in ----------------------------------------------------


def content(body: Body) -> Content:
    """The messages, system instructions and tools of a request."""
    return Content(
        [_said(message) for message in body.get("messages") or ()],
        _parts(body.get("system")),
        [_tool(tool) for tool in body.get("tools") or ()],
    )


def _tool(tool: Any) -> Part:
    kind = get(tool, "type") or "custom"  # what is not the app's own tool is one of Anthropic's, by its type
    schema = get(tool, "input_schema")
    return _content.tool(get(tool, "name"), get(tool, "description"), schema, "function" if kind == "custom" else kind)


def _said(message: Any) -> Message:
    return {"role": get(message, "role"), "parts": _parts(get(message, "content"))}


def _parts(blocks: Any) -> list[Part]:
    return [_content.text(blocks)] if isinstance(blocks, str) else [_part(block) for block in blocks or ()]


def _part(block: Any) -> Part:
    kind = str(get(block, "type"))
    if kind == "text":
        return _content.text(get(block, "text"))
    if kind == "thinking":
        return _content.reasoning(get(block, "thinking"))
    if kind == "tool_use":
        return _content.tool_call(get(block, "id"), get(block, "name"), get(block, "input"))
    if kind == "server_tool_use":
        return _content.server_tool_call(get(block, "id"), get(block, "name"), get(block, "input"))
    if kind == "tool_result":
        said = get(block, "content")
        return _content.tool_response(get(block, "tool_use_id"), _parts(said) if isinstance(said, list) else said)
    if kind.endswith("_tool_result"):  # of Anthropic's own tools: pages and files, in part encrypted
        response = {"type": kind.removesuffix("_tool_result")}
        return {"type": _SERVER_RESPONSE, "id": get(block, "tool_use_id"), _SERVER_RESPONSE: response}
    source = get(block, "source")
    if kind in ("image", "document"):
        return _content.media(
            "image" if kind == "image" else "document",
            url=get(source, "url"),
            mime_type=get(source, "media_type"),
            file_id=get(source, "file_id"),
        )
    return {"type": kind}


_SERVER_RESPONSE = "server_tool_call_response"
_CALLS = {"tool_use": "tool_call", "server_tool_use": "server_tool_call"}


def _transcribe(transcript: Transcript, index: Any, block: Any) -> None:
    """Write down a block of the answer, as it is when it starts, or whole."""
    kind = get(block, "type")
    if kind == "text":
        transcript.text(get(block, "text"))
    elif kind == "thinking":
        transcript.text(get(block, "thinking"), kind="reasoning")
    elif kind in _CALLS:
        given = get(block, "input")  # empty when the block starts
        arguments = json.dumps(given) if given else ""
        transcript.tool_call(index, get(block, "id"), get(block, "name"), arguments, kind=_CALLS[kind])
    else:
        transcript.part(_part(block))


def _transcribe_delta(transcript: Transcript, event: Any) -> None:
    delta = get(event, "delta")
    kind = get(delta, "type")
    if kind == "text_delta":
        transcript.text(get(delta, "text"))
    elif kind == "thinking_delta":
        transcript.text(get(delta, "thinking"), kind="reasoning")
    elif kind == "input_json_delta":
        transcript.tool_call(get(event, "index"), arguments=get(delta, "partial_json"))


OPERATION = Operation(semconv.CHAT, asked, fold, input=("system", "messages"), content=content)
