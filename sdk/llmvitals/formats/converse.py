"""Bedrock's Converse, whose form Amazon's Nova has by itself, too.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

import json
from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Attribute, Body, get, parameters
from llmvitals._content import Content, Message, Part, Transcript

_INFERENCE = {
    "maxTokens": (semconv.REQUEST_MAX_TOKENS, int),
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "topP": (semconv.REQUEST_TOP_P, float),
    "stopSequences": (semconv.REQUEST_STOP_SEQUENCES, list),
}


def asked(body: Body) -> dict[str, Attribute]:
    attributes = parameters(body.get("inferenceConfig") or {}, _INFERENCE)
    guardrail = get(body.get("guardrailConfig"), "guardrailIdentifier")
    if isinstance(guardrail, str):
        attributes[semconv.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    return attributes


def fold(answer: Answer, piece: Any) -> int:
    """Fold an answer, or one event of its stream; all that either has is under names that only it has."""
    for name, part in piece.items():
        if name == "contentBlockDelta":
            if answer.transcript is not None:
                _transcribe(answer.transcript, get(part, "contentBlockIndex"), part["delta"])
            return _delta(answer, part["delta"])
        if name == "contentBlockStart":
            if answer.transcript is not None:
                _transcribe(answer.transcript, get(part, "contentBlockIndex"), get(part, "start") or {})
            return ANSWER if get(get(part, "start"), "toolUse") else NOTHING
        if name == "output" and answer.transcript is not None:
            for index, block in enumerate(get(get(part, "message"), "content") or ()):
                _transcribe(answer.transcript, index, block)
        elif name == "stopReason":
            answer.finish_reasons = {0: part}
        elif name == "usage":
            fold_usage(answer, part)
        elif name in ("messageStop", "metadata"):
            fold(answer, part)
        elif name == "trace":
            answer.model = get(get(part, "promptRouter"), "invokedModelId") or answer.model
    return NOTHING


def _delta(answer: Answer, delta: Any) -> int:
    if "text" in delta or "toolUse" in delta:
        return ANSWER
    reasoning = get(delta, "reasoningContent")
    if get(reasoning, "text") or get(reasoning, "redactedContent"):
        answer.reasoning_seen = True
        return REASONING
    return NOTHING  # signatures and citations are no tokens


def fold_usage(answer: Answer, usage: Any) -> None:
    """Take in a usage. Cached tokens are counted apart from the input, the conventions count them in.

    https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
    """
    read, write = (
        get(usage, f"cache{kind}InputTokens" if f"cache{kind}InputTokens" in usage else f"cache{kind}InputTokenCount")
        for kind in ("Read", "Write")  # the second name is Nova's own
    )
    uncached, tokens = get(usage, "inputTokens"), answer.usage
    tokens.input = None if uncached is None else uncached + (read or 0) + (write or 0)
    tokens.output = get(usage, "outputTokens")
    tokens.cache_read, tokens.cache_write = read, write


# ---- Content: looked at only where the app opts in ----------------------------------------------------


def content(body: Body) -> Content:
    """The messages, system instructions and tools of a request."""
    tools = [
        _content.tool(specified["name"], get(specified, "description"), get(get(specified, "inputSchema"), "json"))
        for tool in get(body.get("toolConfig"), "tools") or ()
        if (specified := get(tool, "toolSpec")) is not None
    ]
    return Content([_message(message) for message in body.get("messages") or ()], _parts(body.get("system")), tools)


def _message(message: Any) -> Message:
    return {"role": get(message, "role"), "parts": _parts(get(message, "content"))}


def _parts(blocks: Any) -> list[Part]:
    return [_part(*entry) for block in blocks or () for entry in block.items()]


_MEDIA = ("image", "document", "video", "audio")


def _part(kind: str, block: Any) -> Part:
    """A block, which is a union: its kind is the name of its only member."""
    if kind == "text":
        return _content.text(block)
    if kind == "reasoningContent":
        return _content.reasoning(get(get(block, "reasoningText"), "text"))
    if kind == "toolUse":
        return _content.tool_call(get(block, "toolUseId"), get(block, "name"), get(block, "input"))
    if kind == "toolResult":
        return _content.tool_response(get(block, "toolUseId"), get(block, "content"))
    if kind in _MEDIA:
        return _content.media(kind, url=get(get(get(block, "source"), "s3Location"), "uri"))
    return {"type": kind}


def _transcribe(transcript: Transcript, index: Any, block: Any) -> None:
    """Write down a block of an answer, its start or a piece of it."""
    if "text" in block:
        transcript.text(block["text"])
    elif "reasoningContent" in block:
        reasoning = block["reasoningContent"]
        transcript.text(get(reasoning, "text") or get(get(reasoning, "reasoningText"), "text"), kind="reasoning")
    elif "toolUse" in block:
        tool = block["toolUse"]
        arguments = get(tool, "input")  # JSON in a stream, whole an object
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, default=str)
        transcript.tool_call(index, get(tool, "toolUseId"), get(tool, "name"), arguments or "")
